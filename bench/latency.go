package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fastpay/bench/paper"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf"
)

// LatencyOptions describe a measurement of single payments on a committee of processes, of which some are down.
type LatencyOptions struct {
	CommitteeSize int
	Crashed       int           // killed before the first payment
	Where         string        // name of the way to the committee
	RoundTrip     time.Duration // of the way, half in each direction, added in user space by each authority's proxy
	Samples       int           // payments that are measured
	Clients       int           // independent payers; each has one payment under way at a time
	Seed          uint64
}

// LatencyRun is the result, with every sample.
type LatencyRun struct {
	Schema        int              `json:"schema"`
	Command       []string         `json:"command"`
	Seed          uint64           `json:"seed"`
	Paper         *paper.Place     `json:"paper,omitempty"`
	CommitteeSize int              `json:"committee_size"`
	Quorum        int              `json:"quorum"`
	Crashed       int              `json:"crashed"`
	Where         string           `json:"where"`
	RoundTripMs   float64          `json:"round_trip_ms"` // emulated: added in user space
	Emulated      bool             `json:"emulated"`
	Clients       int              `json:"clients"`
	NoLiveness    string           `json:"no_liveness"` // why there is no certificate, and no sample; "" when there are
	Samples       []LatencySample  `json:"samples"`
	Environment   perf.Environment `json:"environment"`
}

// LatencySample is one payment, in µs. The order's count from sending it, the certificate's from sending that, which is once
// all authorities that are up have answered to the order.
type LatencySample struct {
	Client          int   `json:"client"`
	OrderQuorum     int64 `json:"order_quorum_us"` // until there is a certificate of votes that verified
	OrderAll        int64 `json:"order_all_us"`    // until all votes were there
	CertificateQuor int64 `json:"certificate_quorum_us"`
	CertificateAll  int64 `json:"certificate_all_us"`
}

// Limits of a measurement of latencies.
const (
	maxClients     = 256
	maxSamples     = 1 << 20
	latencyTimeout = 4 * time.Second // beyond the round trip
	// latencyWarmUp is how many payments of each client come before those that count: after some fifty votes of a member
	// every authority makes its table of that member, a millisecond of work each, and all of them do at once.
	latencyWarmUp = 3
)

// Check tells what is wrong with o.
func (o *LatencyOptions) Check() error {
	switch {
	case o.CommitteeSize < 1 || o.CommitteeSize > MaxWholeCommittee:
		return fmt.Errorf("bench: %d authorities, expected 1 to %d", o.CommitteeSize, MaxWholeCommittee)
	case o.Crashed < 0 || o.Crashed >= o.CommitteeSize:
		return fmt.Errorf("bench: %d authorities of %d crashed, expected 0 to %d", o.Crashed, o.CommitteeSize, o.CommitteeSize-1)
	case o.Clients < 1 || o.Clients > maxClients || o.Samples < o.Clients || o.Samples > maxSamples:
		return fmt.Errorf("bench: %d samples by %d clients, expected 1 to %d clients and a sample or more for each", o.Samples,
			o.Clients, maxClients)
	case o.RoundTrip < 0 || o.RoundTrip > 2*maxLate:
		return fmt.Errorf("bench: a round trip of %v, expected 0 to %v", o.RoundTrip, 2*maxLate)
	}
	return nil
}

// RunLatency starts the committee, kills who is to be down, and lets the clients pay. When fewer authorities than a quorum
// are up there are no samples, and the result says why; any other payment that is not settled is an error.
func RunLatency(ctx context.Context, o LatencyOptions, stderr io.Writer) (*LatencyRun, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	r := &LatencyRun{Schema: schemaVersion, Seed: o.Seed, CommitteeSize: o.CommitteeSize, Quorum: quorum(o.CommitteeSize),
		Crashed: o.Crashed, Where: o.Where, RoundTripMs: o.RoundTrip.Seconds() * 1e3, Emulated: true, Clients: o.Clients,
		Samples: []LatencySample{}, Environment: perf.NewEnvironment(crypto.Backend())}
	w := newWorkload(o.Seed, o.CommitteeSize)
	w.expand(o.Clients, o.Clients)
	c, err := o.startCommittee(w, inTurns(stderr))
	if err != nil {
		return nil, err
	}
	defer c.killAll()
	for i := range o.Crashed {
		c.kill(o.CommitteeSize - 1 - i)
	}
	if up := o.CommitteeSize - o.Crashed; up < r.Quorum {
		return r, o.proveStuck(ctx, r, w, c.bases())
	}
	samples := make([][]LatencySample, o.Clients)
	errs := make([]error, o.Clients)
	var all sync.WaitGroup
	for i := range o.Clients {
		all.Go(func() { samples[i], errs[i] = o.pay(ctx, w, c.bases(), i) })
	}
	all.Wait()
	for _, of := range samples {
		r.Samples = append(r.Samples, of...)
	}
	return r, errors.Join(errs...)
}

// startCommittee runs all authorities, each of one shard in a process of its own behind its proxy.
func (o *LatencyOptions) startCommittee(w *workload, stderr io.Writer) (*cluster, error) {
	options := DefaultOptions()
	options.Protocol, options.CommitteeSize, options.NumShards, options.NumAccounts = committee.TCP, o.CommitteeSize, 1, o.Clients
	options.Topology = WholeCommittee
	if o.RoundTrip > 0 {
		options.Faults = []Fault{{Kind: Delay, Late: o.RoundTrip / 2}}
	}
	return startCluster(&options, w, make([]*Fault, o.CommitteeSize), "", stderr)
}

// pay is one client: it makes its share of the payments, after some that are not counted. Clients begin apart from each
// other, so that their messages do not meet.
func (o *LatencyOptions) pay(ctx context.Context, w *workload, bases []int, i int) ([]LatencySample, error) {
	c, err := newLatencyClient(w, bases, i, o.RoundTrip+latencyTimeout)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if !sleep(ctx, o.RoundTrip*time.Duration(2*i)/time.Duration(o.Clients)) {
		return nil, ctx.Err()
	}
	share := o.Samples / o.Clients
	if i < o.Samples%o.Clients {
		share++
	}
	samples := make([]LatencySample, 0, share)
	for number := range share + latencyWarmUp {
		sample, err := c.once(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("bench: client %d, payment %d: %w", i, number, err)
		}
		if number >= latencyWarmUp {
			samples = append(samples, sample)
		}
	}
	return samples, nil
}

// proveStuck has one client try, and tells how far it came. That it gets a certificate would be an error.
func (o *LatencyOptions) proveStuck(ctx context.Context, r *LatencyRun, w *workload, bases []int) error {
	c, err := newLatencyClient(w, bases, 0, 3*o.RoundTrip+time.Second)
	if err != nil {
		return err
	}
	defer c.close()
	_, err = c.once(ctx, 0)
	stuck, ok := errors.AsType[*noQuorumError](err)
	if !ok {
		return errors.Join(fmt.Errorf("bench: %d of %d authorities are down, and a payment did not fail for that", o.Crashed,
			o.CommitteeSize), err)
	}
	r.NoLiveness = stuck.Error()
	return nil
}

// WriteFile writes r as JSON; the file appears whole or not at all.
func (r *LatencyRun) WriteFile(name string) error { return writeJSON(name, r) }

// ReadLatencyRun reads a file that WriteFile wrote.
func ReadLatencyRun(name string) (*LatencyRun, error) {
	r := new(LatencyRun)
	if err := readJSON(name, r); err != nil {
		return nil, err
	}
	if r.Schema < schemaVersion || r.Quorum == 0 {
		return nil, fmt.Errorf("bench: %s has no latencies", name)
	}
	return r, nil
}
