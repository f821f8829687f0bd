package node

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/big"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/node/journal"
	"fastpay/perf"
)

// Options configure a node. They are checked once, by Start.
type Options struct {
	// Committee is all authorities, this one included.
	Committee *committee.Committee
	// Member is this authority: its name, ports and number of shards. Its hosts are where sibling processes are found.
	Member committee.Member
	// Key signs votes; its public half is Member.Name.
	Key *crypto.PrivateKey
	// Shards are those that this process runs; nil means all.
	Shards []int
	// ShardHosts are hosts of shards of other processes that are not where Member says.
	ShardHosts map[int]string
	// Accounts yields the initial accounts; those of other shards are skipped. May be nil.
	Accounts iter.Seq2[codec.Address, codec.Balance]
	// ExpectedAccounts sizes the tables, for all shards together; 0 lets them grow.
	ExpectedAccounts int
	// BindHost is the address to listen on; "" means all IPv4 addresses.
	BindHost string
	// Workers is the number of event loops; 0 means one for each shard, at most one for each allowed CPU.
	Workers int
	// Pin is "auto", "off", or a list of CPUs such as "0,2-3", one for each worker; "" means auto. Auto pins only a
	// process that runs all its shards.
	Pin string
	// MaxMessage is the largest message in bytes, both ways; 0 means codec.DefaultMaxMessage.
	MaxMessage int
	// Durability says what is durable before a reply leaves; "" means DurabilityNone.
	Durability Durability
	// DataDir is the directory of journals and snapshots, which the processes of an authority share, and authorities may.
	// Without one, which only DurabilityNone allows, not even the mark of a process that forgets is left.
	DataDir string
	// AcceptLostVotes starts where votes may be lost: after DurabilityNone, or after a crash with DurabilityAsync.
	AcceptLostVotes bool
	// Retain says what of the journal is kept behind snapshots.
	Retain Retain
	// Logger gets start, stop and what operators must know; never called for a request. nil means slog.Default.
	Logger *slog.Logger

	limits *limits                               // nil means the constants
	openFS func(path string) (journal.FS, error) // nil means real folders
}

// maxSupplyBits bounds the initial money: sums of balances and credits then stay far from the limits of 128 bits.
const maxSupplyBits = 126

const (
	minMaxMessage = 4 << 10  // room for a certificate of 40 votes
	maxMaxMessage = 16 << 20 // a batch must hold several
)

// config is Options, checked and completed.
type config struct {
	Options
	allShards bool
	shards    []int
	workers   int
	cpus      []int // CPU of each worker; nil when not pinned
	keys      *crypto.KeySet
	self      int // index in the committee
}

func (o Options) check() (*config, error) {
	c := &config{Options: o}
	if o.Committee == nil || o.Key == nil {
		return nil, errors.New("node: committee and key are required")
	}
	if o.Key.Public() != o.Member.Name {
		return nil, errors.New("node: the key is not the one of this authority")
	}
	self, ok := o.Committee.Index(&o.Member.Name)
	if !ok {
		return nil, fmt.Errorf("node: authority %s is not in the committee file (was its line appended?)", codec.FormatAddress(&o.Member.Name))
	}
	c.self = self
	if err := c.checkPorts(); err != nil {
		return nil, err
	}
	if err := c.checkShards(); err != nil {
		return nil, err
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = codec.DefaultMaxMessage
	}
	if c.MaxMessage < minMaxMessage || c.MaxMessage > maxMaxMessage {
		return nil, fmt.Errorf("node: largest message of %d bytes is outside %d to %d", c.MaxMessage, minMaxMessage, maxMaxMessage)
	}
	if err := c.checkDurability(); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.limits == nil {
		c.limits = &defaultLimits
	}
	if err := c.checkWorkers(); err != nil {
		return nil, err
	}
	var err error
	c.keys, err = o.Committee.Keys()
	return c, err
}

func (c *config) checkDurability() error {
	c.Durability = cmp.Or(c.Durability, DurabilityNone)
	if _, err := ParseDurability(string(c.Durability)); err != nil {
		return err
	}
	if c.Durability == DurabilityNone && !c.allShards {
		return errors.New("node: durability none wants all shards in one process: credits between processes would be lost")
	}
	if c.Durability != DurabilityNone && c.DataDir == "" {
		return fmt.Errorf("node: durability %s wants a data directory", c.Durability)
	}
	return nil
}

func (c *config) checkPorts() error {
	m := &c.Member
	if m.NumShards < 1 || m.BasePort < 1 || m.BasePort+m.NumShards-1 > 65535 {
		return fmt.Errorf("node: ports %d to %d are not usable", m.BasePort, m.BasePort+m.NumShards-1)
	}
	return nil
}

func (c *config) checkShards() error {
	n := c.Member.NumShards
	seen := make([]bool, n)
	for _, s := range c.Shards {
		if s < 0 || s >= n {
			return fmt.Errorf("node: shard %d does not exist: the authority has shards 0 to %d", s, n-1)
		}
		seen[s] = true
	}
	for s := range n {
		if len(c.Shards) == 0 || seen[s] {
			c.shards = append(c.shards, s)
		}
	}
	c.allShards = len(c.shards) == n
	return nil
}

func (c *config) checkWorkers() error {
	allowed, err := perf.CPUs()
	if err != nil {
		return err
	}
	if c.Workers < 0 || c.Workers > len(c.shards) {
		return fmt.Errorf("node: %d workers for %d shards", c.Workers, len(c.shards))
	}
	c.workers = c.Workers
	if c.workers == 0 {
		c.workers = min(len(c.shards), len(allowed))
	}
	switch c.Pin {
	case "", "auto":
		if c.allShards && c.workers <= len(allowed) {
			for _, cpu := range allowed[:c.workers] {
				c.cpus = append(c.cpus, cpu.ID)
			}
		}
	case "off":
	default:
		cpus, err := perf.ParseCPUList(c.Pin)
		if err != nil {
			return fmt.Errorf("node: pin: %w", err)
		}
		if len(cpus) < c.workers {
			return fmt.Errorf("node: pin: %d CPUs for %d workers", len(cpus), c.workers)
		}
		c.cpus = cpus[:c.workers]
	}
	return nil
}

// checkSupply adds up the initial balances.
func checkSupply(supply, balance *big.Int) error {
	if supply.Add(supply, balance); supply.CmpAbs(maxSupply) > 0 {
		return fmt.Errorf("node: initial balances add up to more than 2^%d", maxSupplyBits)
	}
	return nil
}

var maxSupply = new(big.Int).Lsh(big.NewInt(1), maxSupplyBits)
