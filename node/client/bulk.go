package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// DefaultMaxInFlight is how many requests of a benchmark an authority gets at a time, as in the prototype.
const DefaultMaxInFlight = 200

// benchmarkAmount is what each account pays.
const benchmarkAmount = 1

// BenchmarkOptions are what Benchmark takes.
type BenchmarkOptions struct {
	MaxInFlight int // requests to one authority, shared by its shards; 0 for DefaultMaxInFlight
	MaxOrders   int // at most as many accounts pay; 0 for all

	// ServerKeys, if not empty, are keys of authorities that make a quorum. The certificates are then made with them, and
	// not of the votes that come back.
	ServerKeys []*crypto.PrivateKey

	// Report gets each line of the prototype's output, with its level, as things happen; from one goroutine at a time.
	Report func(level slog.Level, line string)
}

// BenchmarkResult is what a benchmark did.
type BenchmarkResult struct {
	Orders             PhaseResult
	Confirmations      PhaseResult
	Skipped            int // accounts without money, or whose payments are not all at hand
	ValidVotes         int
	Certificates       int // transfers that are final
	ValidConfirmations int
	Settled            int    // transfers that a quorum has settled
	Retransmitted      uint64 // datagrams sent again, in both phases
}

// PhaseResult is one broadcast to all authorities.
type PhaseResult struct {
	Orders    int // each goes to every authority
	Answered  int // by a quorum of authorities
	Responses int
	Elapsed   time.Duration
	Errors    map[string]int // texts of error answers and of failures, and how many there were
}

// PerSecond is the rate of orders: one counts once, for all authorities, as in the prototype, but only if it was answered.
func (p *PhaseResult) PerSecond() uint64 {
	return uint64(p.Answered) * 1_000_000 / uint64(max(p.Elapsed.Microseconds(), 1))
}

// bulkItem is one account's transfer on its way.
type bulkItem struct {
	account     *Account
	order       codec.Order
	signed      []byte // what is signed
	certificate codec.Certificate
	used        bool   // an authority says that the number has been used
	settledAt   []bool // by authority
	confirmed   uint64 // their weight
	behind      bool   // an authority that answers has not settled it
}

// bulk is one run of Benchmark.
type bulk struct {
	client  *Client
	network *Network
	options BenchmarkOptions
	items   []*bulkItem
	result  BenchmarkResult
	report  func(slog.Level, string)
}

// Benchmark pays 1 from every account of the wallet to the next one, all at once: the orders first, then the
// confirmations. An account whose transfer is pending has that one finished instead. The signed orders are saved, all in
// one write, before any is sent, so are the certificates, and in the end what is settled; so a benchmark that was
// interrupted is finished by the next. The result is filled in as far as it went, also with an error.
func (c *Client) Benchmark(ctx context.Context, o BenchmarkOptions) (BenchmarkResult, error) {
	network, ok := c.network.(*Network)
	if !ok {
		return BenchmarkResult{}, errors.New("client: a benchmark needs a network")
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = DefaultMaxInFlight
	}
	b := &bulk{client: c, network: network, options: o, report: func(slog.Level, string) {}}
	if o.Report != nil {
		var mu sync.Mutex
		b.report = func(level slog.Level, line string) {
			mu.Lock()
			defer mu.Unlock()
			o.Report(level, line)
		}
	}
	before := network.Retransmissions()
	err := b.run(ctx)
	b.result.Retransmitted = network.Retransmissions() - before
	return b.result, err
}

func (b *bulk) run(ctx context.Context) error {
	if err := b.checkKeys(); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.report(slog.LevelWarn, "Starting benchmark phase 1 (transfer orders)")
	flows := b.broadcast(ctx, "transfer", &b.result.Orders, func(item *bulkItem) []byte {
		if !item.certificate.IsZero() {
			return nil // of an earlier run, and to be settled
		}
		return codec.AppendOrder(nil, item.order)
	})
	if err := b.certify(flows); err != nil {
		return err
	}
	b.recover(ctx)
	if ctx.Err() == nil && b.result.Certificates > 0 {
		b.report(slog.LevelWarn, "Starting benchmark phase 2 (confirmation orders)")
		if len(b.options.ServerKeys) > 0 {
			b.report(slog.LevelWarn, "Using server configs provided by --server-configs")
		} else {
			b.report(slog.LevelWarn, "Using committee config")
		}
		if err := b.keep(); err != nil {
			return err
		}
		b.confirm(b.broadcast(ctx, "confirmation", &b.result.Confirmations, func(item *bulkItem) []byte {
			if item.certificate.IsZero() {
				return nil
			}
			return codec.AppendCertificate(nil, item.certificate)
		}))
	}
	if err := b.update(); err != nil {
		return err
	}
	b.catchUp(ctx)
	return b.verdict(ctx)
}

// checkKeys refuses server keys that could not make certificates.
func (b *bulk) checkKeys() error {
	weight := uint64(0)
	seen := make(map[int]bool)
	for _, key := range b.options.ServerKeys {
		name := key.Public()
		i, ok := b.client.committee.Index(&name)
		if !ok {
			return fmt.Errorf("client: the server key of %s is of no authority in the committee", codec.FormatAddress(&name))
		}
		if seen[i] {
			return fmt.Errorf("client: the server key of %s is given twice", codec.FormatAddress(&name))
		}
		seen[i] = true
		weight += b.client.committee.Member(i).Weight
	}
	if len(b.options.ServerKeys) > 0 && weight < b.client.committee.Quorum() {
		return fmt.Errorf("client: the server keys have weight %d, and a quorum needs %d", weight, b.client.committee.Quorum())
	}
	return nil
}

// prepare makes and signs the orders, and saves the wallet with all of them pending.
func (b *bulk) prepare(ctx context.Context) error {
	wallet := b.client.wallet
	accounts := slices.Collect(wallet.All())
	limit := len(accounts)
	if b.options.MaxOrders > 0 {
		limit = min(limit, b.options.MaxOrders)
	}
	var unsigned []*bulkItem
	var recipients []codec.Address
	unreachable := false
	for i, a := range accounts[:limit] {
		if a.Pending.IsZero() && !a.Complete() && !unreachable {
			if err := b.client.complete(ctx, a); err != nil {
				b.report(slog.LevelError, err.Error())
				unreachable = true // don't wait for the time-outs again for every account
			}
		}
		item := &bulkItem{account: a, order: a.Pending}
		switch {
		case !a.Pending.IsZero():
			item.certificate, _ = a.sent(a.Pending.SequenceNumber())
		case !a.Complete() || a.Spendable() < benchmarkAmount || a.NextSequenceNumber > codec.MaxSequenceNumber:
			b.result.Skipped++
			continue
		default:
			unsigned = append(unsigned, item)
			recipients = append(recipients, accounts[(i+1)%len(accounts)].Address)
		}
		b.items = append(b.items, item)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(b.items) == 0 {
		return fmt.Errorf("client: none of the %d accounts in the wallet can pay (see create_accounts --initial-funding)", len(accounts))
	}
	if err := signAll(unsigned, recipients); err != nil {
		return err
	}
	for _, item := range b.items {
		item.signed = item.order.AppendSignedBytes(nil)
	}
	if len(unsigned) == 0 && !wallet.unsaved {
		return nil
	}
	wallet.unsaved = true
	return wallet.Save()
}

// signAll signs in parallel. The orders are pending from then on, all of them or none.
func signAll(items []*bulkItem, recipients []codec.Address) error {
	errs := make([]error, len(items))
	parallel(len(items), func(i int) {
		a := items[i].account
		items[i].order, errs[i] = sign(a, codec.Transfer{Sender: a.Address, SequenceNumber: a.NextSequenceNumber,
			Recipient: codec.Recipient{Kind: codec.FastPay, Address: recipients[i]}, Amount: benchmarkAmount})
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for _, item := range items {
		item.account.Pending = item.order
	}
	return nil
}

// parallel calls f for 0..n-1, on all processors.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}

// broadcast sends a message for each item, if there is one, to all authorities, and waits for the answers. Once a quorum
// of authorities has answered all, the others get the receive time-out to end.
func (b *bulk) broadcast(ctx context.Context, name string, result *PhaseResult, message func(*bulkItem) []byte) []*flow {
	messages := make([][]byte, len(b.items))
	for i, item := range b.items {
		if messages[i] = message(item); messages[i] != nil {
			result.Orders++
		}
	}
	flows := b.flows(messages)
	b.report(slog.LevelInfo, fmt.Sprintf("Broadcasting %d %s orders", result.Orders, name))
	start := time.Now()
	b.carry(ctx, flows)
	result.Elapsed = time.Since(start)
	if result.Orders == 0 {
		return flows // an earlier run got all certificates: there is no rate to tell
	}
	weights := make([]uint64, len(b.items))
	for _, f := range flows {
		for i := range f.requests {
			if f.requests[i].reply != nil {
				result.Responses++
				weights[f.requests[i].item] += b.client.committee.Member(f.at.authority).Weight
			}
		}
	}
	for _, weight := range weights {
		if weight >= b.client.committee.Quorum() {
			result.Answered++
		}
	}
	b.report(slog.LevelWarn, fmt.Sprintf("Received %d responses in %d ms.", result.Responses, result.Elapsed.Milliseconds()))
	b.report(slog.LevelWarn, fmt.Sprintf("Estimated server throughput: %d %s orders per sec", result.PerSecond(), name))
	return flows
}

// flows deals the messages out to authorities and shards.
func (b *bulk) flows(messages [][]byte) []*flow {
	var all []*flow
	for i := range b.client.committee.Len() {
		m := b.client.committee.Member(i)
		shards := make([]*flow, m.NumShards)
		for k, message := range messages {
			if message == nil {
				continue
			}
			account := b.items[k].account.Address
			shard := committee.ShardOf(&account, m.NumShards)
			if shards[shard] == nil {
				window := max(1, b.options.MaxInFlight/m.NumShards)
				shards[shard] = &flow{at: place{i, shard}, window: window, report: b.report}
				all = append(all, shards[shard])
			}
			shards[shard].requests = append(shards[shard].requests, flowRequest{item: k, account: account, message: message})
		}
	}
	return all
}

func (b *bulk) carry(ctx context.Context, flows []*flow) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan *flow)
	underWay := make([]int, b.client.committee.Len())
	for _, f := range flows {
		underWay[f.at.authority]++
		go func() {
			b.network.carry(ctx, f)
			finished <- f
		}()
	}
	weight := uint64(0)
	for range flows {
		f := <-finished
		if underWay[f.at.authority]--; underWay[f.at.authority] > 0 || !f.anyAnswer() {
			continue
		}
		before := weight
		weight += b.client.committee.Member(f.at.authority).Weight
		if quorum := b.client.committee.Quorum(); before < quorum && weight >= quorum {
			b.network.quorumUp()
			defer time.AfterFunc(b.network.recvTimeout, cancel).Stop()
		}
	}
}

func (f *flow) anyAnswer() bool {
	return slices.ContainsFunc(f.requests, func(r flowRequest) bool { return r.reply != nil })
}
