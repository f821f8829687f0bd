package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a mistake on the command line: exit code 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// hintError is an error with a line that tells how to mend it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// withHint adds a hint to err, unless err has one.
func withHint(err error, hint string) error {
	if _, has := errors.AsType[*hintError](err); has {
		return err
	}
	return &hintError{err, hint}
}

// hintIfMissing adds what makes the file, when err says that there is none.
func hintIfMissing(err error, hint string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return withHint(err, hint)
	}
	return err
}

// required is the error for a flag that was not given.
func required(flag, hint string) error {
	return withHint(usagef("%s is required", flag), hint)
}

// noArgs, and exactly(n, what): the number of arguments of a command, as usage errors.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usagef("%s is missing", what)
		case len(args) > n:
			return usagef("unexpected argument %q", args[n])
		}
		return nil
	}
}

// flagError makes the flag parser's errors usage errors, and suggests the flag that was meant.
func flagError(cmd *cobra.Command, err error) error {
	usage := usagef("%s", strings.TrimPrefix(err.Error(), "pflag: "))
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage
	}
	name, best, bestDistance := unknown.GetSpecifiedName(), "", 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if d := editDistance(name, f.Name); d < bestDistance {
			best, bestDistance = f.Name, d
		}
	})
	if best == "" {
		return usage
	}
	return withHint(usage, fmt.Sprintf("did you mean --%s?", best))
}

// editDistance is the number of single-character changes that turn a into b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
