package node

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/journal"
)

// TestOversizedFrame claims a frame of 4 GiB: what came before is answered, then the connection ends.
func TestOversizedFrame(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	n := w.start(w.options())
	c := w.dial(0)
	if _, err := c.Write(append(frame(infoRequest(w, 0)), 0xff, 0xff, 0xff, 0xff, 1, 2)); err != nil {
		t.Fatal(err)
	}
	if m := c.receive(); m.Kind != codec.KindInfoResponse {
		t.Fatalf("got kind %d before the oversized frame", m.Kind)
	}
	if _, err := c.tryReceive(patience); !errors.Is(err, io.EOF) {
		t.Fatalf("after an oversized frame: %v, want EOF", err)
	}
	if n.Stats().Oversized != 1 {
		t.Error("not counted")
	}
}

// TestTimeouts lets one connection idle, one stop within a frame, and one send a byte now and then.
func TestTimeouts(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.idle, l.partialFrame, l.sweep = 600*time.Millisecond, 300*time.Millisecond, 50*time.Millisecond
	o.limits = &l
	n := w.start(o)
	idle, partial, slow, honest := w.dial(0), w.dial(0), w.dial(0), w.dial(0)
	if _, err := partial.Write([]byte{9, 0, 0}); err != nil {
		t.Fatal(err)
	}
	go func() { // never silent for long, and never done
		for _, b := range frame(make([]byte, 1000)) {
			if _, err := slow.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(30 * time.Millisecond)
		}
	}()
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if m := honest.ask(infoRequest(w, 0)); m.Kind != codec.KindInfoResponse {
			t.Fatal("honest connection not served")
		}
	}
	for name, c := range map[string]*client{"idle": idle, "partial": partial, "slow": slow} {
		if _, err := c.tryReceive(patience); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%s connection still open: %v", name, err)
		}
	}
	if got := n.Stats().Timeouts; got != 3 {
		t.Errorf("%d time-outs counted, want 3", got)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// TestSlowReader asks and never reads: the connection is closed at the bound, others are served.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.queuedConn = 64 << 10
	o.limits = &l
	n := w.start(o)
	c := w.dial(0)
	question := frame(infoRequest(w, 0))
	var many []byte
	for range 1000 {
		many = append(many, question...)
	}
	go func() {
		for {
			if _, err := c.Write(many); err != nil {
				return
			}
		}
	}()
	eventually(t, "slow reader closed", func() bool { return n.Stats().SlowReaders == 1 })
	if m := w.dial(0).ask(infoRequest(w, 0)); m.Kind != codec.KindInfoResponse {
		t.Fatal("others are not served")
	}
}

// TestConnectionLimit opens more connections than allowed; those beyond are closed, and room that is given back is used.
func TestConnectionLimit(t *testing.T) {
	w := newWorld(t, 4, 1, 3)
	o := w.options()
	l := defaultLimits
	l.connections = 5
	o.limits = &l
	n := w.start(o)
	eventually(t, "start's own connection to end", func() bool { return n.Stats().Connections == 0 })
	var open []*client
	for range 5 {
		c := w.dial(0)
		if m := c.ask(infoRequest(w, 0)); m.Kind != codec.KindInfoResponse {
			t.Fatal("not served")
		}
		open = append(open, c)
	}
	extra := w.dial(0)
	if _, err := extra.tryReceive(patience); err == nil || isTimeout(err) {
		t.Fatalf("sixth connection: %v", err)
	}
	open[0].Close()
	eventually(t, "room", func() bool { return n.Stats().Connections == 4 })
	if m := w.dial(0).ask(infoRequest(w, 0)); m.Kind != codec.KindInfoResponse {
		t.Fatal("not served after one left")
	}
}

// TestBusyPort refuses a port that another socket has, TCP or UDP, although the event loop would share it.
func TestBusyPort(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		w := newWorld(t, 4, 2, 3)
		var closer io.Closer
		var err error
		if network == "tcp" {
			closer, err = net.Listen("tcp", w.address(1))
		} else {
			closer, err = net.ListenPacket("udp", w.address(1))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Start(w.options()); err == nil || !strings.Contains(err.Error(), strings.ToUpper(network)+" port") {
			t.Errorf("%s port in use: %v", network, err)
		}
		closer.Close()
		w.stop(w.start(w.options())) // nothing is left behind
	}
}

// TestSecondProcessOfOneShard refuses to run a shard twice, whatever the ports.
func TestSecondProcessOfOneShard(t *testing.T) {
	w := newWorld(t, 4, 2, 3)
	w.start(w.durable(new(journal.MemFS), 1))
	again := w.options()
	again.Member.BasePort = freePorts(t, 2)
	if _, err := Start(again); err == nil || !strings.Contains(err.Error(), "already runs") {
		t.Fatalf("second process with the same key: %v", err)
	}
	w.start(w.durable(new(journal.MemFS), 0)) // the other shard is free
}

// TestBadOptions has an error for each.
func TestBadOptions(t *testing.T) {
	w := newWorld(t, 4, 2, 3)
	for want, change := range map[string]func(*Options){
		"required":      func(o *Options) { o.Committee = nil },
		"not the one":   func(o *Options) { o.Key = w.keys[1] },
		"not in the":    func(o *Options) { o.Key = key('x', 1); o.Member.Name = o.Key.Public() },
		"does not":      func(o *Options) { o.Shards = []int{2} },
		"largest":       func(o *Options) { o.MaxMessage = 100 },
		"durability":    func(o *Options) { o.Durability = "never" },
		"3 workers":     func(o *Options) { o.Workers = 3 },
		"pin":           func(o *Options) { o.Pin = "zero" },
		"1 CPUs for 2":  func(o *Options) { o.Pin, o.Workers = "0", 2 },
		"not usable":    func(o *Options) { o.Member.BasePort = 65535 },
		"more than 2^1": func(o *Options) { o.Accounts = tooMuch },
	} {
		o := w.options()
		change(&o)
		if n, err := Start(o); err == nil {
			w.stop(n)
			t.Errorf("%q: accepted", want)
		} else if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "node: ") {
			t.Errorf("error %q, want one with %q", err, want)
		}
	}
}

func tooMuch(yield func(codec.Address, codec.Balance) bool) {
	yield(codec.Address{}, codec.MaxBalance)
}

// TestStartRefuses has an error for what shows only when the parts are made.
func TestStartRefuses(t *testing.T) {
	w := newWorld(t, 60, 2, 3)
	twice := func(yield func(codec.Address, codec.Balance) bool) {
		for more := range 2 {
			if !yield(w.accounts[0].Public(), codec.NewBalance(uint64(more))) {
				return
			}
		}
	}
	for want, change := range map[string]func(*Options){
		"needs":         func(o *Options) { o.MaxMessage = minMaxMessage },
		"already":       func(o *Options) { o.Accounts = twice },
		"cannot assign": func(o *Options) { o.BindHost = "203.0.113.1" },
	} {
		o := w.options()
		change(&o)
		if n, err := Start(o); err == nil {
			w.stop(n)
			t.Errorf("%q: accepted", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want one with %q", err, want)
		}
	}
	o := w.options()
	o.Logger, o.Accounts, o.BindHost, o.Pin, o.Durability = nil, nil, "", "off", DurabilityNone
	n := w.start(o) // nothing of the above was left behind
	if s := n.Shards(); len(s) != 2 || n.Workers() < 1 {
		t.Errorf("shards %v, %d workers", s, n.Workers())
	}
}

// TestPinnedWorkers runs on the CPUs of a list, and refuses none of what can't be pinned.
func TestPinnedWorkers(t *testing.T) {
	for _, pin := range []string{"0", "100000"} { // the second is refused by the system, and logged
		w := newWorld(t, 4, 2, 24)
		o := w.options()
		o.Workers, o.Pin = 1, pin
		n, err := Start(o)
		if err != nil {
			t.Logf("pin %s: %v", pin, err)
			continue
		}
		if m := w.dial(0).ask(infoRequest(w, w.accountIn(0, 0))); m.Kind != codec.KindInfoResponse {
			t.Error("not served")
		}
		w.stop(n)
	}
}

// TestTooFewFiles refuses a limit of open files that leaves no room for connections.
func TestTooFewFiles(t *testing.T) {
	if _, err := connectionLimit(1 << 40); err == nil || !strings.Contains(err.Error(), "too low") {
		t.Errorf("got %v", err)
	}
}
