package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// A load generator in a process of its own, one of several that drive a committee. The parent writes to its standard input
// the specification as a line of JSON, and then commands, one a line; the generator answers on its standard output with a
// line of JSON when it is ready, when its window begins and ends, and with its report. When the input ends it stops.
const (
	generateStart     = "start"     // the load
	generateInterrupt = "interrupt" // it: a partial report follows
	generateSettle    = "settle"    // what authorities missed, and report
)

// GeneratorCommand is how the binary starts itself as a load generator: its arguments after the program's name.
var GeneratorCommand = []string{"bench", "generator"}

// generatorSpec says what a generator does: it pays from the accounts From..To-1.
type generatorSpec struct {
	Options  Options
	Index    int
	From, To int
	Total    int   // payments to prepare
	Bases    []int // first port of each authority
}

// generatorReply is what a generator tells.
type generatorReply struct {
	Did    string      // ready, began, ended, reported
	Report *loadReport `json:",omitempty"`
	Error  string      `json:",omitempty"`
}

// What a generator did.
const (
	didReady  = "ready"
	didBegin  = "began"
	didEnd    = "ended"
	didReport = "reported"
)

// ServeGenerator is the child: it generates the load that in describes, and answers on out.
func ServeGenerator(in io.Reader, out, stderr io.Writer) error {
	signal.Ignore(os.Interrupt) // a terminal's Ctrl-C reaches the parent, and it decides
	r := bufio.NewReader(in)
	replies := json.NewEncoder(out)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("bench: read the generator's specification: %w", err)
	}
	var spec generatorSpec
	if err := json.Unmarshal(line, &spec); err != nil {
		return fmt.Errorf("bench: the generator's specification: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	commands := make(chan string)
	go func() {
		defer close(commands)
		defer cancel()
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line = strings.TrimSpace(line); line == generateInterrupt {
				cancel()
				continue
			}
			commands <- line
		}
	}()
	err = onThread(func() error { return spec.generate(ctx, commands, replies, stderr) })
	if err != nil { // the parent tells it
		return replies.Encode(generatorReply{Error: err.Error()})
	}
	return nil
}

// errOrphan is a generator whose parent has gone.
var errOrphan = errors.New("bench: the generator's input has ended")

// generate runs the course of a run, each step when it is told to.
func (s *generatorSpec) generate(ctx context.Context, commands <-chan string, replies *json.Encoder, stderr io.Writer) error {
	o := &s.Options
	d, m, err := s.prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	settle()
	if err := replies.Encode(generatorReply{Did: didReady}); err != nil {
		return err
	}
	if name, ok := <-commands; !ok || name != generateStart {
		return errOrphan
	}
	m.live = newLive(&prefixed{stderr, fmt.Sprintf("generator %d: ", s.Index)}, units[Payments], nil)
	p := o.plan()
	p.whole = true
	stopped, err := drive(ctx, d, m, p, hooks{
		begin: func() error { return replies.Encode(generatorReply{Did: didBegin}) },
		end:   func() error { return replies.Encode(generatorReply{Did: didEnd}) },
	})
	m.live.end()
	if err != nil {
		return err
	}
	if !m.hasBegun() { // an end in the warm-up: the parent still waits for both
		for _, did := range []string{didBegin, didEnd} {
			if err := replies.Encode(generatorReply{Did: did}); err != nil {
				return err
			}
		}
	}
	if name, ok := <-commands; !ok || name != generateSettle {
		return errOrphan
	}
	return s.report(d, m, stopped, replies)
}

func (s *generatorSpec) prepare(ctx context.Context) (*payers, *meter, error) {
	o := &s.Options
	promptTimers()
	of, err := cast(o.Faults, o.CommitteeSize)
	if err != nil {
		return nil, nil, err
	}
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.expand(o.NumAccounts, 0)
	w.mixed(o.Mix, o.NumShards)
	made, err := prepareOrders(ctx, w, s.From, s.To, s.Total, nil)
	if err != nil {
		return nil, nil, err
	}
	m := newMeter(Payments)
	d, err := newPayersWith(o, made, s.Bases, of, m)
	return d, m, err
}

func (s *generatorSpec) report(d *payers, m *meter, stopped error, replies *json.Encoder) error {
	of, err := cast(s.Options.Faults, s.Options.CommitteeSize)
	if err != nil {
		return err
	}
	_, _, sound := forgiven(of)
	settled, err := d.settle(context.Background(), sound)
	if err != nil {
		return err
	}
	r, err := m.report(d.everyone)
	if err != nil {
		return err
	}
	r.Tallies, r.Stuck, r.Unsafe, r.Settled = d.tallies, d.stuck, d.unsafe, settled
	if stopped != nil {
		r.Stopped = stopped.Error()
	}
	return replies.Encode(generatorReply{Did: didReport, Report: r})
}

// prefixed writes each line with a prefix; lines come whole.
type prefixed struct {
	to   io.Writer
	with string
}

func (p *prefixed) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.to, p.with+string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}
