package bench

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A run directory holds what a report is made of, and nothing that it does not show: results as 'bench --json' wrote them,
// below a folder for each part, and what is no result of this program as Markdown. The repository keeps one, perf/results, so that
// every number in RESULTS.md can be found in a file that says its commit and command.
//
//	throughput/*.json   one authority: whole payments, and each phase alone
//	transfers.json      what a single payer waits for
//	curves/*.json       as RunCurve writes them
//	endurance/*.json    long runs, and many accounts
//	durability/         what a journal costs and gives: turns/COMMITTEE-TURN-MODE.json, the same load with each durability in turn;
//	                    soak.json, snapshots.json, transfers.json, restart.json
//	signatures.txt      what 'go test -bench' of package crypto printed, with lines "commit: " and "command: " before it
//	attacks/*.json      what is left for honest payers under attack
//	paper/              of a run of the paper's experiments what KeepPaper keeps
//	PART.md             a part that is not rendered but kept as records: bench, curves, reliability, ...
const (
	throughputFolder = "throughput"
	transfersFile    = "transfers.json"
	curvesFolder     = "curves"
	enduranceFolder  = "endurance"
	durabilityFolder = "durability"
	signaturesFile   = "signatures.txt"
	paperFolder      = "paper"
	attacksFolder    = "attacks"
)

// ReadRunDir reads what is there: any part may be missing. A directory without any is an error.
func ReadRunDir(dir string) (*Report, error) {
	r := &Report{Records: make(map[reportPart]string)}
	for _, read := range []func(string, *Report) error{readThroughput, readTransfers, readCurvesOf, readEndurance, readDurability,
		readSignatures, readPaper, readAttacks, readRecords} {
		if err := read(dir, r); err != nil {
			return nil, err
		}
	}
	if r.empty() {
		return nil, fmt.Errorf("%w are in %s: expected a run directory, with a folder %s or a file PART.md", ErrNoResults, dir,
			throughputFolder)
	}
	return r, nil
}

// within reads with read what is there below dir; nothing, when it is not there.
func within[T any](dir, name string, read func(string) (T, error)) (v T, err error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	return read(path)
}

func readThroughput(dir string, r *Report) error {
	files, err := within(dir, throughputFolder, readFolder)
	order := func(p string) int { return slices.Index([]string{"payments", "orders", "confirmations"}, p) }
	slices.SortStableFunc(files, func(a, b resultFile) int {
		return cmp.Or(order(a.result.Phase)-order(b.result.Phase), naturally(a.path, b.path))
	})
	r.Results = resultsOf(files)
	return err
}

func readTransfers(dir string, r *Report) (err error) {
	r.Transfers, err = within(dir, transfersFile, ReadTransferLatency)
	return err
}

func readCurvesOf(dir string, r *Report) (err error) {
	r.Curves, err = within(dir, curvesFolder, ReadCurves)
	return err
}

func readEndurance(dir string, r *Report) error {
	files, err := within(dir, enduranceFolder, readFolder)
	slices.SortStableFunc(files, func(a, b resultFile) int { return a.result.NumAccounts - b.result.NumAccounts })
	r.Endurance = resultsOf(files)
	return err
}

func readSignatures(dir string, r *Report) (err error) {
	r.Crypto, err = within(dir, signaturesFile, ReadSignatureTimes)
	return err
}

func readPaper(dir string, r *Report) (err error) {
	r.paper, err = within(dir, paperFolder, readPaperRun)
	return err
}

func readAttacks(dir string, r *Report) (err error) {
	r.Attacks, err = within(dir, attacksFolder, func(folder string) (all []*AttackResult, err error) {
		names, err := filepath.Glob(filepath.Join(folder, "*.json"))
		for _, name := range names {
			result, err := ReadAttackResult(name)
			if err != nil {
				return nil, err
			}
			all = append(all, result)
		}
		return all, err
	})
	return err
}

func resultsOf(files []resultFile) (results []*Result) {
	for _, f := range files {
		results = append(results, f.result)
	}
	return results
}

// readRecords reads the parts that are kept as Markdown. A comment at the beginning is for those who add to the file.
func readRecords(dir string, r *Report) error {
	for _, part := range reportParts {
		text, err := within(dir, string(part)+".md", os.ReadFile)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		if bytes.HasPrefix(text, []byte("<!--")) {
			_, text, _ = bytes.Cut(text, []byte("-->"))
		}
		if text := strings.TrimSpace(string(text)); text != "" {
			r.Records[part] = text + "\n"
		}
	}
	return nil
}

// reportIntro is what stands above all parts of a whole report.
const reportIntro = `Every number here is in a file of the run directory [perf/results](perf/results), which says its commit and its command;
` + "`fastpay bench results --from perf/results` writes this file, and `--trace` lists where each number is from. The modes of\n" +
	"`./bench.sh` measure anew. What was measured at different commits says so at its table.\n\n"

// Write writes the report whole: file has nothing else.
func (r *Report) Write(file string) error {
	content, err := r.Markdown()
	if err != nil {
		return err
	}
	return replaceFile(file, []byte(content))
}

// Markdown returns the report whole.
func (r *Report) Markdown() (content string, err error) {
	content = reportTitle + reportIntro
	for _, part := range reportParts {
		section, err := r.section(part)
		if err != nil {
			return "", err
		}
		if section == "" {
			continue
		}
		if content, err = part.splice(content, section); err != nil {
			return "", err
		}
	}
	return content, nil
}
