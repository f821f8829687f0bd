package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"fastpay/bench"
)

// liveView is what "bench --live" shows while a run goes on: rate and latencies as its generator sees them and, of one
// authority, what that tells in its metrics. It has a screen of its own, which leaves what was there before as it was.
type liveView struct {
	mu        sync.Mutex
	out       io.Writer
	open      bool // the screen is there
	closed    bool // ... and will not be any more
	rates     []float64
	authority *topView // nil for a committee
}

// goLive makes a run show itself live on a terminal. Where there is none the lines of progress stay. close is to be called when
// the run is over.
func (f *benchFlags) goLive(ctx context.Context, stderr io.Writer) (close func(), err error) {
	file, isFile := stderr.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return func() {}, nil
	}
	v := &liveView{out: file}
	if f.Topology == bench.OneAuthority && !f.InProcess {
		if f.Metrics == "" {
			if f.Metrics, err = freeLoopback(); err != nil {
				return nil, err
			}
		}
		full, err := metricsURL(f.Metrics)
		if err != nil {
			return nil, err
		}
		v.authority = &topView{address: full}
	}
	f.Live = func(m bench.Moment) { v.show(ctx, m) }
	atOnce := v.close
	lastAct.Store(&atOnce)
	return v.close, nil
}

// freeLoopback is an address that nobody listens on at the moment.
func freeLoopback() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (v *liveView) show(ctx context.Context, m bench.Moment) {
	text := v.text(m)
	if v.authority != nil {
		if now, err := readMetrics(ctx, v.authority.address); err == nil { // the view goes on without
			text += "\n" + v.authority.next(now)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	if !v.open {
		v.open = true
		fmt.Fprint(v.out, openScreen)
	}
	fmt.Fprint(v.out, "\x1b[H"+strings.ReplaceAll(text, "\n", "\x1b[K\n")+"\x1b[J")
}

// text is the part that the generator knows.
func (v *liveView) text(m bench.Moment) string {
	v.rates = append(v.rates, m.PerSecond)
	if extra := len(v.rates) - topHistory; extra > 0 {
		v.rates = v.rates[extra:]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %-12s %s/s  %s\n", strings.TrimSpace(m.Text), "rate", count(m.PerSecond), ticks(v.rates))
	most, total := 0, 0
	for _, n := range m.Latency {
		most, total = max(most, n), total+n
	}
	below := 0
	for i, n := range m.Latency {
		if n > 0 {
			below += n
			took := time.Duration(1<<i) * time.Microsecond
			fmt.Fprintf(&b, "  %12s %s %.1f %%, to here %.2f %%\n", "< "+rounded(took), bar(float64(n)/float64(most)),
				100*float64(n)/float64(total), 100*float64(below)/float64(total))
		}
	}
	return b.String()
}

// close gives the screen back, for good.
func (v *liveView) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open {
		fmt.Fprint(v.out, closeScreen)
	}
	v.open, v.closed = false, true
}
