package bench

import (
	"errors"
	"fmt"
	"math"
	"time"

	"fastpay/codec"
	"fastpay/node"
	"fastpay/node/committee"
)

// Options configure a run. Run checks them.
type Options struct {
	Protocol      committee.Protocol
	CommitteeSize int // authorities; one of them is measured
	NumShards     int
	NumAccounts   int
	MaxInFlight   int     // payments begun and not confirmed, over all shards
	Seconds       float64 // length of the measured window; unused when Payments is set
	Payments      int     // measure exactly so many, however long it takes; 0 means by time
	Seed          uint64  // of all keys
	Phase         Phase   // what is measured
	Connections   int     // TCP connections to each shard

	// Rate is how many payments begin each second in an open loop, with Arrival between them; 0 is the closed loop, in which
	// a payment begins when another is confirmed. MaxInFlight then bounds what may wait for the authority.
	Rate    float64
	Arrival Arrival

	Mix  Mix     // who is paid
	Info float64 // info requests for every hundred payments

	Peer string // command of the server that is measured instead of this program's; see PeerPlaceholders

	Topology Topology
	Faults   []Fault // of a whole committee
	// Generators is how many processes make the load of a whole committee; 0 and 1 mean this one.
	Generators int

	Host string // where the authority listens
	Port int    // of its first shard; 0 finds free ones

	Workers     int    // event loops of the authority; 0 means one a shard, at most one a CPU
	Durability  string // of the authority
	DataDir     string // where its journal gets a folder for the run; "" is the user's cache folder
	Retain      string // of the journal, behind snapshots
	MaxMessage  int    // largest message in bytes
	SendTimeout time.Duration
	RecvTimeout time.Duration // a request without reply for so long is lost

	InProcess  bool     // run the authority in this process, still behind sockets
	Profiles   []string // of the authority in the window, names of perf.ProfileKinds
	ProfileDir string
	Metrics    string   // loopback address on which the authority's process serves its metrics; "" for none
	NoCache    bool     // neither read nor write prepared payments
	Command    []string // the command line, for the record
	Watch      []string // what else is looked at in the window, of WatchKinds
	Restart    bool     // afterwards kill the authority, and measure its start from what it left on the disk

	// Live is told each second how the run goes, instead of a line on stderr; from another goroutine than Run's. nil: the line.
	Live func(Moment) `json:"-"`

	abrupt bool // the authority's process is killed after its books are read, which is sooner than that it stops in order
}

// DefaultOptions is the configuration that the prototype's bench has without arguments, with a window of ten seconds.
func DefaultOptions() Options {
	return Options{
		Protocol:      committee.UDP,
		CommitteeSize: 10,
		NumShards:     15,
		NumAccounts:   40000,
		MaxInFlight:   1000,
		Seconds:       minWindow.Seconds(),
		Seed:          42,
		Connections:   1,
		Host:          "127.0.0.1",
		Durability:    string(node.DurabilityNone),
		MaxMessage:    codec.DefaultMaxMessage,
		ProfileDir:    "results/profile",
		SendTimeout:   4 * time.Second,
		RecvTimeout:   4 * time.Second,
	}
}

// Limits of a run, so that a slip of the finger is an error and not an exhausted machine.
const (
	maxCommittee = committee.MaxMembers
	maxAccounts  = 10 << 20 // 10 million, the size that the design is for
	maxInFlight  = 1 << 20
	maxShards    = 4096
	maxSeconds   = 24 * 3600
	maxPayments  = 1 << 30
	maxRate      = 1e8
	maxConns     = 1 << 16 // to each shard; the process's limit of descriptors comes before
)

// OpenInFlight is MaxInFlight of an open loop that does not say: more than any authority has under way that keeps up.
const OpenInFlight = 100_000

// minWindow is the shortest window whose rate is worth quoting; shorter ones are flagged.
const minWindow = 10 * time.Second

// Check tells what is wrong with o, as Run would.
func (o *Options) Check() error {
	for _, limit := range [...]struct {
		name            string
		value, min, max int
	}{
		{"committee-size", o.CommitteeSize, 1, maxCommittee},
		{"num-shards", o.NumShards, 1, maxShards},
		{"num-accounts", o.NumAccounts, 1, maxAccounts},
		{"max-in-flight", o.MaxInFlight, 1, maxInFlight},
		{"payments", o.Payments, 0, maxPayments},
		{"port", o.Port, 0, math.MaxUint16 + 1 - o.NumShards},
		{"workers", o.Workers, 0, o.NumShards},
		{"connections", o.Connections, 1, maxConns},
	} {
		if limit.value < limit.min || limit.value > limit.max {
			return fmt.Errorf("bench: %s is %d, expected %d to %d", limit.name, limit.value, limit.min, limit.max)
		}
	}
	if o.Payments == 0 && !(o.Seconds > 0 && o.Seconds <= maxSeconds) {
		return fmt.Errorf("bench: seconds is %v, expected more than 0 and at most %d", o.Seconds, maxSeconds)
	}
	if !(o.Rate >= 0 && o.Rate <= maxRate) || o.Arrival >= numArrivals {
		return fmt.Errorf("bench: rate is %v, expected up to %d payments a second, %s", o.Rate, int(maxRate), o.Arrival)
	}
	if err := o.checkMix(); err != nil {
		return err
	}
	if err := o.checkPeer(); err != nil {
		return err
	}
	if err := o.checkTopology(); err != nil {
		return err
	}
	if o.open() && o.Phase == Orders {
		return errors.New("bench: orders alone go in rounds, and have no rate")
	}
	if o.Phase >= numPhases {
		return fmt.Errorf("bench: there is no phase %d", o.Phase)
	}
	if o.Protocol != committee.TCP && o.Phase != Payments {
		return fmt.Errorf("bench: the phase of %s alone is measured over TCP only", o.Phase)
	}
	if o.Protocol != committee.TCP && o.Connections != 1 {
		return errors.New("bench: only TCP has connections")
	}
	if err := o.checkWatched(); err != nil {
		return err
	}
	if o.SendTimeout <= 0 || o.RecvTimeout <= 0 {
		return errors.New("bench: time-outs must be positive")
	}
	if need := certificateSize(quorum(o.CommitteeSize)) + btoi(o.Mix.UserData)*codec.UserDataSize; o.MaxMessage < need {
		return fmt.Errorf("bench: buffer-size is %d, a certificate of %d votes has %d bytes", o.MaxMessage,
			quorum(o.CommitteeSize), need)
	}
	_, err := node.ParseDurability(o.Durability)
	return err
}

// checkWatched tells what can't be looked at.
func (o *Options) checkWatched() error {
	own := o.Peer == "" && o.Topology == OneAuthority
	if len(o.Watch) > 0 && !own {
		return errors.New("bench: only one authority of this program is watched")
	}
	if o.Restart && (!own || o.InProcess || o.Durability != string(node.DurabilitySync)) {
		return errors.New("bench: what starts again after a kill is one authority in a process of its own, with durability sync")
	}
	return nil
}

// maxInfo is how many info requests may go with a payment.
const maxInfo = 10

// checkMix tells what is wrong with the workload.
func (o *Options) checkMix() error {
	if err := o.Mix.check(); err != nil {
		return err
	}
	switch {
	case o.Mix.HasCrossShard && o.Mix.CrossShard > 0 && o.NumShards < 2:
		return errors.New("bench: payments across shards need two shards")
	case o.Mix.Pattern == Hot && o.Mix.Accounts > o.NumAccounts:
		return fmt.Errorf("bench: %d hot accounts of %d", o.Mix.Accounts, o.NumAccounts)
	case !(o.Info >= 0 && o.Info <= 100*maxInfo):
		return fmt.Errorf("bench: info is %v, expected 0 to %d for every hundred payments", o.Info, 100*maxInfo)
	case o.Info > 0 && (o.Protocol != committee.TCP && o.Topology == OneAuthority || o.Phase == Orders):
		return errors.New("bench: info requests to one authority go over TCP, with payments or confirmations")
	}
	return nil
}

// mixKey tells payments apart in the cache: what is made must follow from it. A share across shards depends on their
// number.
func (o *Options) mixKey() string {
	if o.Mix == (Mix{}) {
		return ""
	}
	key := o.Mix.String()
	if o.Mix.HasCrossShard {
		key += fmt.Sprintf(" of %d", o.NumShards)
	}
	return key
}

// checkPeer tells what can't be asked of another server.
func (o *Options) checkPeer() error {
	if o.Peer == "" {
		return nil
	}
	if name := unknownPlaceholder(o.Peer); name != "" {
		return fmt.Errorf("bench: peer: there is no placeholder %s, there are %s", name, PeerPlaceholders)
	}
	if o.InProcess || len(o.Profiles) > 0 || o.Topology != OneAuthority {
		return errors.New("bench: a peer is one authority in processes of its own, without profiles")
	}
	_, err := splitCommand(o.Peer)
	return err
}

// checkTopology tells what a whole committee can't do.
func (o *Options) checkTopology() error {
	whole := o.Topology == WholeCommittee
	switch {
	case o.Topology >= numTopologies:
		return fmt.Errorf("bench: there is no topology %d", o.Topology)
	case o.Generators < 0 || o.Generators > min(maxGenerators, o.NumAccounts):
		return fmt.Errorf("bench: generators is %d, expected 1 to %d, and an account for each", o.Generators, maxGenerators)
	case !whole && o.Generators > 1:
		return errors.New("bench: several generators are for a whole committee: --topology committee")
	case o.Generators > 1 && o.InProcess:
		return errors.New("bench: several generators are processes")
	case !whole && len(o.Faults) > 0:
		return errors.New("bench: faults are of a whole committee: --topology committee")
	case !whole:
		return nil
	case o.Phase != Payments:
		return errors.New("bench: a whole committee is measured with whole payments only")
	case o.Connections != 1:
		return errors.New("bench: a whole committee has one connection to each shard")
	case o.CommitteeSize > MaxWholeCommittee:
		return fmt.Errorf("bench: committee-size is %d, a whole committee has at most %d", o.CommitteeSize, MaxWholeCommittee)
	case o.Port != 0 && o.Port+o.CommitteeSize*o.NumShards > math.MaxUint16+1:
		return fmt.Errorf("bench: port %d leaves no room for the shards of %d authorities", o.Port, o.CommitteeSize)
	case len(o.Profiles) > 0:
		return errors.New("bench: profiles are of one authority")
	case o.Metrics != "":
		return errors.New("bench: metrics are of one authority")
	}
	for _, f := range o.Faults {
		if o.Protocol != committee.TCP && (f.Kind == WrongSignature || f.Kind == Equivocate) {
			return fmt.Errorf("bench: %s is a fault over TCP only", faultNames[f.Kind])
		}
		if o.InProcess && (f.Kind == Crash || f.Kind == Restart) {
			return errors.New("bench: authorities in this process can't be killed alone")
		}
	}
	_, err := cast(o.Faults, o.CommitteeSize)
	return err
}

func (o *Options) window() time.Duration { return time.Duration(o.Seconds * float64(time.Second)) }

// quorum is how many authorities of n, of weight 1 each, make a certificate.
func quorum(n int) int { return 2*n/3 + 1 }
