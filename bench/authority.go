package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/node/committee"
	"fastpay/perf"
)

// authoritySpec says what authority to run. It goes to the child process as a line of JSON, the accounts' addresses after it.
type authoritySpec struct {
	Members    []crypto.PublicKey    `json:"members"` // the first is the one that runs
	Seed       [crypto.SeedSize]byte `json:"seed"`    // of its key
	Protocol   committee.Protocol    `json:"protocol"`
	Host       string                `json:"host"`
	Port       int                   `json:"port"` // of its first shard, 0: free ones
	NumShards  int                   `json:"num_shards"`
	Workers    int                   `json:"workers"`
	Pin        string                `json:"pin"`
	MaxMessage int                   `json:"max_message"`
	Durability string                `json:"durability"`
	DataDir    string                `json:"data_dir"` // of the journal; "" for none
	Retain     string                `json:"retain"`
	Accounts   int                   `json:"accounts"`
	Balance    uint64                `json:"balance"` // of each
	Profiles   []string              `json:"profiles"`
	ProfileDir string                `json:"profile_dir"`
	Metrics    string                `json:"metrics"`
	Watch      []string              `json:"watch,omitempty"`

	// Of a member of a whole committee.
	Fault *Fault        `json:"fault,omitempty"` // Silent, Slow, WrongSignature, Equivocate
	Delay time.Duration `json:"delay,omitempty"` // of all messages, both ways
	Loss  float64       `json:"loss,omitempty"`  // of segments, 0 to 1
}

// snapshot is an authority's counters at one moment. Windows are differences of two.
type snapshot struct {
	Stats      node.Stats    `json:"stats"`
	At         time.Duration `json:"at"`  // since the authority started
	CPU        time.Duration `json:"cpu"` // of its process
	QueueWait  time.Duration `json:"queue_wait"`
	PeakRSS    int64         `json:"peak_rss"`
	GCCycles   uint32        `json:"gc_cycles"`
	GCPause    time.Duration `json:"gc_pause"`
	Mallocs    uint64        `json:"mallocs"`
	GOMAXPROCS int           `json:"gomaxprocs"`
	Workers    int           `json:"workers"`
	Hints      []string      `json:"hints,omitempty"` // how to open the profiles of the window
	RSS        []int64       `json:"rss,omitempty"`   // peak in each quarter of the window, at its end

	// Of a window that is watched, at its end.
	Heap      []HeapPoint        `json:"heap,omitempty"`
	Loops     *LoopWaits         `json:"loops,omitempty"`
	Snapshots []node.SnapshotRun `json:"snapshots,omitempty"`
}

// since is what was counted after earlier; what is no count is as it was at s.
func (s snapshot) since(earlier snapshot) snapshot {
	s.Stats = statsSince(s.Stats, earlier.Stats)
	s.At -= earlier.At
	s.CPU -= earlier.CPU
	s.QueueWait -= earlier.QueueWait
	s.GCCycles -= earlier.GCCycles
	s.GCPause -= earlier.GCPause
	s.Mallocs -= earlier.Mallocs
	return s
}

// authority is the authority under test, in this process or in another.
type authority interface {
	// basePort is that of its first shard.
	basePort() int
	// startedIn is the time from its start to every port accepting.
	startedIn() time.Duration
	// mark reads the counters.
	mark() (snapshot, error)
	// begin starts the window: profiles, and a peak of memory of its own.
	begin() (snapshot, error)
	// end ends it. It may be called once, after begin.
	end() (snapshot, error)
	// stop ends the authority; for a process it returns when that is gone.
	stop() error
}

// localAuthority runs in this process.
type localAuthority struct {
	node     *node.Node
	spec     authoritySpec
	port     int
	workers  int
	started  time.Time
	profiles *perf.Profiles
	rss      *rssWatch
	watches  watches
	took     time.Duration // to start
	fronts   []*listeners  // before it, the outermost first
}

// startLocal starts the authority of spec, with addresses as its accounts. All its ports accept when it returns.
func startLocal(spec authoritySpec, addresses []codec.Address) (*localAuthority, error) {
	a := &localAuthority{spec: spec, started: time.Now(), workers: spec.Workers}
	if a.workers == 0 {
		a.workers = min(spec.NumShards, len(perf.AllowedCPUs()))
	}
	runtime.GOMAXPROCS(max(a.workers+node.SpareProcs, runtime.GOMAXPROCS(0)))
	balance := codec.NewBalance(spec.Balance)
	retain, err := node.ParseRetain(cmp.Or(spec.Retain, "all"))
	if err != nil {
		return nil, err
	}
	options := node.Options{
		Key: crypto.NewPrivateKey(&spec.Seed),
		Accounts: func(yield func(codec.Address, codec.Balance) bool) {
			for i := range addresses {
				if !yield(addresses[i], balance) {
					return
				}
			}
		},
		ExpectedAccounts: len(addresses),
		BindHost:         spec.Host,
		Workers:          a.workers,
		Pin:              spec.Pin,
		MaxMessage:       spec.MaxMessage,
		Durability:       node.Durability(spec.Durability),
		DataDir:          spec.DataDir,
		Retain:           retain,
		Logger:           slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for attempt := 0; ; attempt++ {
		if a.port = spec.Port; a.port == 0 || spec.isFronted() {
			if a.port, err = freePorts(spec.Host, spec.NumShards); err != nil {
				return nil, err
			}
		}
		if options.Committee, err = spec.committeeAt(a.port); err != nil {
			return nil, err
		}
		options.Member = *options.Committee.Member(0)
		if a.node, err = node.Start(options); err == nil {
			a.took = time.Since(a.started)
			return a, a.putFronts()
		}
		if spec.Port != 0 && !spec.isFronted() || attempt == portAttempts || !strings.Contains(err.Error(), "in use") {
			return nil, err
		}
	}
}

// committeeAt describes the committee with the measured authority at port. The others never run; each has a host of its
// own, so that no ports clash.
func (s *authoritySpec) committeeAt(port int) (*committee.Committee, error) {
	members := make([]committee.Member, len(s.Members))
	for i := range members {
		members[i] = committee.Member{Name: s.Members[i], Weight: 1, Protocol: s.Protocol, Host: s.Host, BasePort: port,
			NumShards: s.NumShards}
		if i > 0 {
			members[i].Host = fmt.Sprintf("authority-%d.invalid", i+1)
		}
	}
	return committee.New(members)
}

// Ports are looked for below the range from which the kernel gives ports to outgoing connections.
const (
	firstPort    = 10000
	lastPort     = 32000
	portAttempts = 50
)

// freePorts finds n ports in a row that nobody uses, TCP and UDP. Somebody may take one before the caller does.
func freePorts(host string, n int) (base int, err error) {
	for range portAttempts {
		base = firstPort + rand.IntN(lastPort-firstPort-n)
		if err = portsFree(host, base, n); err == nil {
			return base, nil
		}
	}
	return 0, fmt.Errorf("bench: no %d free ports in a row were found: %w", n, err)
}

func portsFree(host string, base, n int) error {
	for port := base; port < base+n; port++ {
		address := net.JoinHostPort(host, strconv.Itoa(port))
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		p, err := net.ListenPacket("udp", address)
		if err := errors.Join(err, l.Close()); err != nil {
			return err
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (a *localAuthority) basePort() int { return a.port }

func (a *localAuthority) startedIn() time.Duration { return a.took }

func (a *localAuthority) begin() (snapshot, error) {
	_ = perf.ResetPeakRSS() // without it the peak is that of the whole life, which is still a bound
	if len(a.spec.Profiles) > 0 {
		var err error
		if a.profiles, err = perf.StartProfiles(a.spec.Profiles, a.spec.ProfileDir); err != nil {
			return snapshot{}, err
		}
	}
	var err error
	if a.watches, err = startWatches(a.spec.Watch, a.node); err != nil {
		return snapshot{}, err
	}
	a.rss = watchRSS()
	return a.snapshot(), nil
}

func (a *localAuthority) end() (snapshot, error) {
	s := a.snapshot()
	s.RSS = a.rss.end()
	a.rss = nil
	a.watches.end(&s)
	a.watches = watches{}
	if a.profiles == nil {
		return s, nil
	}
	s.Hints = a.profiles.Hints()
	return s, a.profiles.Stop()
}

func (a *localAuthority) mark() (snapshot, error) { return a.snapshot(), nil }

func (a *localAuthority) snapshot() snapshot {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	usage := perf.ProcessUsage()
	return snapshot{
		Stats:      a.node.Stats(),
		At:         time.Since(a.started),
		CPU:        usage.CPU,
		QueueWait:  perf.RunQueueWait(),
		PeakRSS:    usage.PeakRSSBytes,
		GCCycles:   memory.NumGC,
		GCPause:    time.Duration(memory.PauseTotalNs),
		Mallocs:    memory.Mallocs,
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Workers:    a.workers,
	}
}

// stopTimeout is beyond what a node takes to stop by itself.
const stopTimeout = 10 * time.Second

func (a *localAuthority) stop() error {
	if a.rss != nil { // the run ended in its window
		a.rss.end()
		a.watches.end(new(snapshot))
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, f := range a.fronts {
		f.close()
	}
	return a.node.Stop(ctx)
}

// settle returns the memory that starting took, so that the window does not begin with its collection.
func settle() { debug.FreeOSMemory() }
