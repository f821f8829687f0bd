package main

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
)

// TestLineHandlerRules holds the handler to the rules of slog for attributes and groups. Lines always have a time, so a
// record without one is not asked for.
func TestLineHandlerRules(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return &lineHandler{mu: new(sync.Mutex), out: &out, level: slog.LevelInfo, module: "server"}
	}, func(t *testing.T) map[string]any {
		if t.Name() == "TestLineHandlerRules/zero-time" {
			t.Skip("the format has a time in every line")
		}
		return parseLine(t, out.String())
	})
}

var linePattern = regexp.MustCompile(`^\[(\S+Z) (\S+) +server\] (.*)\n$`)

// parseLine makes of a line what slogtest wants to see: nested maps for groups.
func parseLine(t *testing.T, line string) map[string]any {
	t.Helper()
	parts := linePattern.FindStringSubmatch(line)
	if parts == nil {
		t.Fatalf("not a line of the log: %q", line)
	}
	result := map[string]any{slog.TimeKey: parts[1], slog.LevelKey: parts[2]}
	words := strings.Fields(parts[3])
	message := []string{}
	for _, word := range words {
		path, value, isAttr := strings.Cut(word, "=")
		if !isAttr {
			message = append(message, word)
			continue
		}
		group := result
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, ok := group[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				group[name] = next
			}
			group = next
		}
		group[names[len(names)-1]] = value
	}
	result[slog.MessageKey] = strings.Join(message, " ")
	return result
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	h := &lineHandler{mu: new(sync.Mutex), out: &out, level: slog.LevelInfo, module: "client"}
	at := time.Date(2026, 11, 23, 7, 13, 44, 5, time.FixedZone("", 3600))
	f := func(level slog.Level, want string, args ...any) {
		t.Helper()
		out.Reset()
		r := slog.NewRecord(at, level, "Saved client account state", 0)
		r.Add(args...)
		if err := h.Handle(t.Context(), r); err != nil || out.String() != want {
			t.Errorf("%q, %v; want %q", out.String(), err, want)
		}
	}
	f(slog.LevelInfo, "[2026-11-23T06:13:44Z INFO  client] Saved client account state\n")
	f(slog.LevelWarn, "[2026-11-23T06:13:44Z WARN  client] Saved client account state n=1\n", "n", 1)
	f(slog.LevelError, "[2026-11-23T06:13:44Z ERROR client] Saved client account state\n")
	f(slog.LevelInfo, `[2026-11-23T06:13:44Z INFO  client] Saved client account state a="x y" b="" c="1\n2" d="k=v"`+"\n",
		"a", "x y", "b", "", "c", "1\n2", "d", "k=v")
	if h.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is enabled at level info")
	}
}
