package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Number is a word with a digit in a report.
type Number struct {
	Line  int // from 1
	Word  string
	Files []string // of the run directory, by path there: the word changes when their values do
	Text  string   // else what it is: a number of the report's text, or of the paper; "" when nothing made it
}

// Traced reports whether something is known that made the number.
func (n *Number) Traced() bool { return len(n.Files) > 0 || n.Text != "" }

// trace is where each word of a report that is rendered from a run directory is from.
type trace struct {
	base string // the report
	from map[position][]string
}

// TraceReport finds out where each number in a report is from, without trust in the code that renders it: the values of one file
// after the other are changed, the report is rendered anew, and what then differs is from that file. What differs for
// no file is a number of the text, which textNumbers must know, or one that is in the report and that nothing made.
func TraceReport(dir, report string) ([]Number, error) {
	t, err := traceRunDir(dir)
	if err != nil {
		return nil, err
	}
	return t.numbersOf(report)
}

func traceRunDir(dir string) (*trace, error) {
	copied, err := os.MkdirTemp("", "fastpay-trace-")
	if err != nil {
		return nil, fmt.Errorf("bench: trace: %w", err)
	}
	defer os.RemoveAll(copied)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("bench: trace: %w", err)
	}
	t := &trace{}
	if t.base, err = markdownOf(copied); err != nil {
		return nil, err
	}
	t.from, err = filesOf(copied, t.base)
	return t, err
}

func markdownOf(dir string) (string, error) {
	r, err := ReadRunDir(dir)
	if err != nil {
		return "", err
	}
	return r.Markdown()
}

// severalFiles stands for a file's name where a number follows several that agree, as the cores of their machine.
const severalFiles = "several files, which agree"

// filesOf says for the words of base which files of dir they follow.
func filesOf(dir, base string) (map[position][]string, error) {
	texts, err := readAll(dir)
	if err != nil {
		return nil, err
	}
	from := make(map[position][]string)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		changed, err := changedBy(dir, base, map[string][]byte{name: texts[name]})
		if err != nil {
			return nil, fmt.Errorf("bench: trace: %s: %w", name, err)
		}
		for at := range changed {
			from[at] = append(from[at], name)
		}
	}
	changed, err := changedBy(dir, base, texts)
	if err != nil {
		return nil, fmt.Errorf("bench: trace: %w", err)
	}
	for at := range changed {
		if len(from[at]) == 0 {
			from[at] = []string{severalFiles}
		}
	}
	return from, nil
}

// readAll reads the files of dir, by their path there, that have values.
func readAll(dir string) (map[string][]byte, error) {
	texts := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if _, ok := changedValues(name, text, 0); ok {
			texts[filepath.ToSlash(name)] = text
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bench: trace: %w", err)
	}
	return texts, nil
}

// changedBy says which words of base change with the values of some files of dir, which are left as they were.
func changedBy(dir, base string, texts map[string][]byte) (map[position]bool, error) {
	changed := make(map[position]bool)
	for how := range numChanges {
		some := false
		for name, text := range texts {
			other, ok := changedValues(name, text, how)
			if !ok {
				continue
			}
			some = true
			if err := os.WriteFile(filepath.Join(dir, name), other, 0o600); err != nil {
				return nil, err
			}
		}
		if !some {
			continue
		}
		rendered, err := markdownOf(dir)
		if err != nil && how >= scattered {
			continue // values that must fit each other don't
		}
		if err != nil {
			return nil, fmt.Errorf("with other values: %w", err)
		}
		kept := kin(base, rendered)
		for at := range wordsOf(base) {
			if _, same := kept[at]; !same {
				changed[at] = true
			}
		}
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

var hasDigit = regexp.MustCompile(`[0-9]`)

// numbersOf lists the numbers of report, a text that should be the one that was traced.
func (t *trace) numbersOf(report string) (numbers []Number, err error) {
	paper, err := paperNumbers()
	if err != nil {
		return nil, err
	}
	made := kin(report, t.base)
	for i, line := range lines(report) {
		explained := coveredWords(line)
		for w, word := range strings.Fields(line) {
			if !hasDigit.MatchString(word) {
				continue
			}
			n := Number{Line: i + 1, Word: word}
			if at, ok := made[position{i, w}]; ok {
				if n.Files = t.from[at]; len(n.Files) == 0 {
					n.Text = cmp.Or(explained[w], paper[strings.Trim(word, "*")])
				}
			}
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// WriteTrace lists numbers, a line each, with the commit and the command of their file; the numbers that nothing made are an error.
func WriteTrace(out io.Writer, dir string, numbers []Number) error {
	about := make(map[string]string)
	var unknown []string
	for _, n := range numbers {
		what := n.Text
		if len(n.Files) > 0 {
			what = strings.Join(n.Files, " ")
			if len(n.Files) == 1 {
				if about[what] == "" {
					about[what] = "\t" + aboutFile(filepath.Join(dir, what))
				}
				what += about[what]
			}
		} else if what == "" {
			what = "NOTHING MADE IT"
			unknown = append(unknown, fmt.Sprintf("%s in line %d", n.Word, n.Line))
		}
		if _, err := fmt.Fprintf(out, "%d\t%s\t%s\n", n.Line, n.Word, what); err != nil {
			return err
		}
	}
	if len(unknown) > 0 {
		return errors.New("bench: no file of " + dir + " made " + strings.Join(unknown, ", "))
	}
	return nil
}

// aboutFile is the commit and the command of a result, or that there is none.
func aboutFile(path string) string {
	if r, err := ReadResult(path); err == nil {
		return r.build() + "\t" + strings.Join(r.Command, " ")
	}
	if l, err := ReadTransferLatency(path); err == nil {
		return (&Result{Environment: l.Environment}).build() + "\t" + strings.Join(l.Command, " ")
	}
	if r, err := ReadRestartTime(path); err == nil {
		return (&Result{Environment: r.Environment}).build() + "\t" + strings.Join(r.Command, " ")
	}
	if s, err := ReadSignatureTimes(path); err == nil {
		return fmt.Sprintf("%.12s\t%s", s.Commit, s.Command)
	}
	return "commit and command beside the number"
}
