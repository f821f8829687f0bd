package committee

import (
	"bytes"
	"fmt"
)

// Parse reads a committee file: one member a line, in JSON; empty lines are skipped. An error names the line. What is
// refused is listed at New.
func Parse(file []byte) (*Committee, error) {
	var (
		members []Member
		lines   []int // of each member, from 1
	)
	line := 0
	for text := range bytes.Lines(file) {
		line++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if len(members) == MaxMembers {
			return nil, fmt.Errorf("line %d: %w: more than %d", line, ErrTooMany, MaxMembers)
		}
		var m Member
		if err := m.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		members, lines = append(members, m), append(lines, line)
	}
	c, at, err := build(members)
	if err != nil && at >= 0 {
		return nil, fmt.Errorf("line %d: %w", lines[at], err)
	}
	return c, err
}
