package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// DefaultCatchUp bounds how long a command waits at its end for authorities that a finished quorum left behind.
const DefaultCatchUp = 2 * time.Second

// Options are what a Client is made of.
type Options struct {
	Committee *committee.Committee
	Wallet    *Wallet // stays the caller's to close, after the Client

	SendTimeout time.Duration // of one request, 0 for DefaultTimeout
	RecvTimeout time.Duration // of one answer, 0 for DefaultTimeout
	MaxMessage  int           // in bytes, 0 for codec.DefaultMaxMessage
	CatchUp     time.Duration // 0 for DefaultCatchUp
	Logger      *slog.Logger  // nil for none
}

// Client makes and receives payments for the accounts of a wallet. Its calls block, return as soon as a quorum has
// answered, and may not be made concurrently. Close it, so that stragglers are brought up to date.
type Client struct {
	committee *committee.Committee
	wallet    *Wallet
	network   exchanger
	stop      func() // ends the network
	options   Options
	log       *slog.Logger

	mu         sync.Mutex // guards accounts and their certificates, which stragglers are brought up to date from
	stragglers sync.WaitGroup
}

// exchanger is the network that the Client needs; tests have another one.
type exchanger interface {
	Exchange(ctx context.Context, authority int, account *codec.Address, message []byte) ([]byte, error)
}

// ErrUnknownAccount is an account that is not in the wallet.
var ErrUnknownAccount = errors.New("Unknown account") //lint:ignore ST1005 the prototype's text, for scripts

// New makes a client. It opens no connection yet.
func New(o Options) (*Client, error) {
	if o.Committee == nil || o.Wallet == nil {
		return nil, errors.New("client: a committee and a wallet are needed")
	}
	network := NewNetwork(o.Committee, o.SendTimeout, o.RecvTimeout, o.MaxMessage)
	return newClient(o, network, network.Close), nil
}

func newClient(o Options, network exchanger, stop func()) *Client {
	if o.CatchUp <= 0 {
		o.CatchUp = DefaultCatchUp
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{committee: o.Committee, wallet: o.Wallet, network: network, stop: stop, options: o, log: o.Logger}
}

// Close waits until the authorities that finished quorums left behind are up to date, Options.CatchUp at most, and
// closes all connections. It does not close the wallet.
func (c *Client) Close() {
	c.stragglers.Wait()
	c.stop()
}

// Retransmissions is the number of datagrams that were sent again, benchmarks included.
func (c *Client) Retransmissions() uint64 {
	if n, ok := c.network.(*Network); ok {
		return n.Retransmissions()
	}
	return 0
}

// CreateAccounts adds count accounts with new keys and this known balance, saves the wallet, and returns the addresses in
// the order of creation.
func (c *Client) CreateAccounts(count int, funding codec.Balance) ([]codec.Address, error) {
	keys := make([]*crypto.PrivateKey, count)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := w; i < count && errs[w] == nil; i += len(errs) {
				keys[i], errs[w] = crypto.GenerateKey()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("client: can't make keys: %w", err)
	}
	addresses := make([]codec.Address, count)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		a, err := c.wallet.Add(key, funding)
		if err != nil {
			return nil, err
		}
		addresses[i] = a.Address
	}
	return addresses, c.wallet.Save()
}

func (c *Client) account(address *codec.Address) (*Account, error) {
	if a := c.wallet.Account(address); a != nil {
		return a, nil
	}
	return nil, ErrUnknownAccount
}

// lookup finds certificates in the wallet. Drivers call it in the background too.
func (c *Client) lookup(sender *codec.Address, number uint64) (codec.Certificate, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.wallet.Account(sender); a != nil {
		return a.sent(number)
	}
	return codec.Certificate{}, false
}

// run carries a driver out until its outcome is known. What is left to do then goes on in the background, for
// Options.CatchUp at most, or until ctx ends.
func (c *Client) run(ctx context.Context, d *Driver) error {
	ctx, cancel := context.WithCancel(ctx)
	decided := make(chan error, 1)
	c.stragglers.Go(func() {
		defer cancel()
		c.drive(ctx, cancel, d, decided)
	})
	return <-decided
}

type outcome struct {
	id    int
	reply []byte
	err   error
}

// drive is the loop around a driver. It sends the driver's verdict once, and ends when there is nothing left to do.
func (c *Client) drive(ctx context.Context, cancel context.CancelFunc, d *Driver, decided chan<- error) {
	var exchanges sync.WaitGroup
	defer exchanges.Wait()
	defer cancel()
	outcomes := make(chan outcome)
	underWay := 0
	for told := false; ; {
		for _, r := range d.Requests() {
			underWay++
			exchanges.Go(func() { c.exchange(ctx, &r, outcomes) })
		}
		if d.Done() && !told {
			told = true
			if n, ok := c.network.(*Network); ok && d.Err() == nil {
				n.quorumUp()
			}
			decided <- d.Err()
			defer time.AfterFunc(c.options.CatchUp, cancel).Stop()
		}
		if d.Idle() {
			return
		}
		if underWay == 0 {
			panic("client: the driver has nothing under way and no verdict")
		}
		select {
		case o := <-outcomes:
			underWay--
			if o.err != nil {
				d.Fail(o.id, o.err)
			} else {
				d.Reply(o.id, o.reply)
			}
		case <-ctx.Done():
			if !told {
				decided <- ctx.Err()
			}
			return
		}
	}
}

func (c *Client) exchange(ctx context.Context, r *Request, outcomes chan<- outcome) {
	o := outcome{id: r.ID}
	if sleep(ctx, r.Delay) {
		o.reply, o.err = c.network.Exchange(ctx, r.Authority, &r.Account, r.Message)
	} else {
		o.err = ctx.Err()
	}
	if o.err != nil && ctx.Err() == nil {
		m := c.committee.Member(r.Authority)
		c.log.Debug("authority can't be reached", "authority", r.Authority, "host",
			m.ShardHost(committee.ShardOf(&r.Account, m.NumShards)), "base_port", m.BasePort, "error", o.err)
	}
	select {
	case outcomes <- o:
	case <-ctx.Done():
	}
}
