package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"fastpay/codec"
	"fastpay/node"
)

// cluster is a whole committee, each authority in a process of its own, or all in this one. As an authority it is all of
// them together: its counts are sums.
type cluster struct {
	options  *Options
	accounts []codec.Address
	stderr   io.Writer
	specs    []authoritySpec // by member, with their ports
	took     time.Duration

	mu      sync.Mutex
	members []authority // nil while down
	lost    []snapshot  // by member: what processes that were killed had counted, as far as it is known
	seen    []snapshot  // by member: when it was last looked at
	events  []FaultEvent
	began   time.Time // of the window
}

// FaultEvent is one thing that happened to an authority in the window.
type FaultEvent struct {
	Seconds   float64 `json:"seconds"` // since the window's start
	Authority int     `json:"authority"`
	What      string  `json:"what"` // killed, started
}

// startCluster starts all authorities at the same time, with journals in dataDir where they have some. of is the fault of
// each, or nil.
func startCluster(o *Options, w *workload, of []*Fault, dataDir string, stderr io.Writer) (*cluster, error) {
	n := o.CommitteeSize
	c := &cluster{options: o, accounts: w.accounts, stderr: stderr, specs: make([]authoritySpec, n), members: make([]authority, n),
		lost: make([]snapshot, n), seen: make([]snapshot, n)}
	began := time.Now()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		c.specs[i] = o.memberSpec(w, i, of[i])
		if dataDir != "" {
			c.specs[i].DataDir = filepath.Join(dataDir, strconv.Itoa(i))
		}
		all.Go(func() {
			c.members[i], errs[i] = o.start(c.specs[i], w.accounts, stderr)
			if errs[i] != nil {
				c.members[i] = nil
				errs[i] = fmt.Errorf("authority %d: %w", i, errs[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	for i, m := range c.members {
		c.specs[i].Port = m.basePort()
	}
	c.took = time.Since(began)
	return c, nil
}

// memberSpec is member i of the committee of w.
func (o *Options) memberSpec(w *workload, i int, f *Fault) authoritySpec {
	spec := o.spec(w)
	spec.Members = append([]codec.Address{w.names[i]}, slices.Delete(slices.Clone(w.names), i, i+1)...)
	spec.Seed, spec.Pin, spec.Port, spec.Profiles = w.members[i].Seed(), "off", 0, nil
	if o.Port != 0 {
		spec.Port = o.Port + i*o.NumShards
	}
	if f != nil && f.Kind != Crash && f.Kind != Restart {
		spec.Fault = f
	}
	for _, f := range o.Faults {
		spec.Delay += f.Late * time.Duration(btoi(f.Kind == Delay))
		if f.Kind == Loss {
			spec.Loss = f.Percent / 100
		}
	}
	return spec
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bases is the first port of each authority.
func (c *cluster) bases() []int {
	bases := make([]int, len(c.specs))
	for i := range bases {
		bases[i] = c.specs[i].Port
	}
	return bases
}

func (c *cluster) basePort() int { return c.specs[0].Port }

func (c *cluster) startedIn() time.Duration { return c.took }

func (c *cluster) begin() (snapshot, error) {
	s, err := c.sum(authority.begin)
	c.mu.Lock()
	c.began = time.Now()
	c.mu.Unlock()
	return s, err
}

func (c *cluster) mark() (snapshot, error) { return c.sum(authority.mark) }

func (c *cluster) end() (snapshot, error) { return c.sum(authority.end) }

// sum adds up what the authorities that are up count, and what those counted that were killed.
func (c *cluster) sum(read func(authority) (snapshot, error)) (total snapshot, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := make([]error, len(c.members))
	var all sync.WaitGroup
	for i, m := range c.members {
		if m != nil {
			all.Go(func() { c.seen[i], errs[i] = read(m) })
		}
	}
	all.Wait()
	for i, m := range c.members {
		total = total.plus(c.lost[i])
		if m != nil {
			total = total.plus(c.seen[i])
		}
	}
	return total, errors.Join(errs...)
}

// plus adds two snapshots of different processes.
func (s snapshot) plus(other snapshot) snapshot {
	s.Stats = statsSince(s.Stats, statsSince(node.Stats{}, other.Stats)) // a - (0 - b), in arithmetic that wraps
	s.At = max(s.At, other.At)
	s.CPU += other.CPU
	s.QueueWait += other.QueueWait
	s.PeakRSS += other.PeakRSS
	s.GCCycles += other.GCCycles
	s.GCPause += other.GCPause
	s.Mallocs += other.Mallocs
	s.GOMAXPROCS = max(s.GOMAXPROCS, other.GOMAXPROCS)
	s.Workers += other.Workers
	for i, n := range other.RSS {
		if i < len(s.RSS) {
			s.RSS[i] += n
		} else {
			s.RSS = append(s.RSS, n)
		}
	}
	return s
}

// kill ends an authority as a crash does.
func (c *cluster) kill(member int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	child, ok := c.members[member].(*childAuthority)
	if !ok {
		return
	}
	// Its own counts since it was last asked are lost with it; asking now would be a crash that is announced.
	s := c.seen[member]
	now := otherProcess(child.cmd.Process.Pid)
	s.CPU, s.QueueWait = max(s.CPU, now.CPU), max(s.QueueWait, now.QueueWait)
	s.Workers = 0 // it has none any more
	c.lost[member] = c.lost[member].plus(s)
	c.seen[member] = snapshot{}
	c.note(member, killed) // the signal is sent at once; that the process is gone may take long
	child.kill()
	c.members[member] = nil
}

// killAll ends all authorities as kill does, where nothing that they have is needed any more. In this process they stop.
func (c *cluster) killAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		switch a := m.(type) {
		case *childAuthority:
			a.kill()
		case *localAuthority:
			_ = a.stop()
		}
	}
}

// revive starts an authority again that was killed, on its ports.
func (c *cluster) revive(member int) error {
	a, err := c.options.start(c.specs[member], c.accounts, c.stderr)
	if err == nil {
		_, err = a.begin()
	}
	if err != nil {
		return fmt.Errorf("bench: authority %d does not start again: %w", member, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[member] = a
	c.note(member, "started")
	return nil
}

func (c *cluster) note(member int, what string) {
	c.events = append(c.events, FaultEvent{time.Since(c.began).Seconds(), member, what})
}

func (c *cluster) stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := make([]error, len(c.members))
	var all sync.WaitGroup
	for i, m := range c.members {
		if m != nil {
			all.Go(func() { errs[i] = m.stop() })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// downShare of the time between two crashes an authority is down, at most downMost.
const (
	downShare = 4
	downMost  = time.Second
)

// suffer lets the window's faults happen, from now on until ctx ends. Authorities that are to come back are up when it
// returns.
func (c *cluster) suffer(ctx context.Context, of []*Fault) error {
	errs := make([]error, len(of))
	var all sync.WaitGroup
	for member, f := range of {
		switch {
		case f == nil:
		case f.Kind == Crash:
			all.Go(func() {
				if sleep(ctx, f.At) {
					c.kill(member)
				}
			})
		case f.Kind == Restart:
			all.Go(func() {
				for errs[member] == nil && sleep(ctx, f.At) {
					c.kill(member)
					sleep(ctx, min(f.At/downShare, downMost))
					errs[member] = c.revive(member)
				}
			})
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// sleep reports whether the time went by before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
