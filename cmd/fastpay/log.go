package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addLogFlags gives a command and those below it the flags that newLogger reads.
func addLogFlags(flags *pflag.FlagSet) {
	flags.String("log-level", "info", "least severe `LEVEL` to log: debug, info, warn or error")
	flags.Bool("log-json", false, "log JSON lines")
}

// newLogger is the log of cmd on its stderr, as the flags say. The module names the part of the program in each line.
func newLogger(cmd *cobra.Command, module string) (*slog.Logger, error) {
	text, err := cmd.Flags().GetString("log-level")
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if level.UnmarshalText([]byte(text)) != nil {
		return nil, usagef("log level %q is none of debug, info, warn, error", text)
	}
	asJSON, err := cmd.Flags().GetBool("log-json")
	if err != nil {
		return nil, err
	}
	out := cmd.ErrOrStderr()
	if asJSON {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})).With("module", module), nil
	}
	return slog.New(&lineHandler{mu: new(sync.Mutex), out: out, level: level, module: module}), nil
}

// lineHandler writes records as lines in the form of the prototype's logs, attributes at the end:
//
//	[2026-11-23T06:13:44Z INFO  server] Listening to Tcp traffic on 0.0.0.0:9100
type lineHandler struct {
	mu     *sync.Mutex // held for a Write
	out    io.Writer
	level  slog.Level
	module string
	prefix string // of the names of attributes: open groups, each with a dot
	attrs  string // already formatted
}

// Enabled reports whether records of level l are written.
func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle writes one record as one line.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Time.UTC().Format("[2006-01-02T15:04:05Z "))
	level := r.Level.String()
	b.WriteString(level)
	if len(level) < 5 {
		b.WriteString("     "[len(level):])
	}
	b.WriteString(" " + h.module + "] " + r.Message + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, b.String())
	return err
}

func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			writeAttr(b, prefix, member)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	b.WriteString(" " + prefix + a.Key + "=" + quoteIfNeeded(value.String()))
}

// quoteIfNeeded quotes what would make the line ambiguous.
func quoteIfNeeded(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

// WithAttrs returns a handler that adds attrs to each record.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	b.WriteString(h.attrs)
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	with := *h
	with.attrs = b.String()
	return &with
}

// WithGroup returns a handler that puts name before the names of later attributes.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}
