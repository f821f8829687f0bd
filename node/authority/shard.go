package authority

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// Options are fixed for a shard's life.
type Options struct {
	Committee *committee.Committee
	Name      codec.Address // this authority; a member of the committee
	Shard     int           // which of NumShards this is, from 0
	NumShards int

	// MaxMessage is the largest message in bytes, 0 for codec.DefaultMaxMessage. A certificate of all members must fit.
	MaxMessage int

	// Log gets the shard's records. Shards of one goroutine may share it.
	Log Log

	// ExpectedAccounts makes room in the index ahead; more accounts are fine.
	ExpectedAccounts int

	// HashSeed makes places in tables unpredictable to peers, who choose the addresses. Random for each process in
	// production; its value changes nothing that can be observed but time.
	HashSeed [2]uint64
}

// A Shard is the state of one shard of one authority. It belongs to one goroutine; nothing in it is locked. Views passed
// in are not kept.
type Shard struct {
	shard, numShards int
	name             codec.Address
	committee        *committee.Committee
	maxMessage       int

	table           accountTable
	pending         pendingTable
	lanes           []lane // by the other shard
	lastTransaction uint64
	write           writer
	touched         []*account // those with positions of the batch that is being filled
	marked          []*outbox  // the same
	stats           Stats
}

// An Outcome is what became of a request.
//
// The persistence contract. What follows is what makes safety survive a crash.
//
//  1. A request with Changed set, a credit that was no repeat, and an acknowledgement that was news have each appended
//     one record to Options.Log, before they return. Records are in the log in the order in which they were applied.
//  2. No reply leaves before all records of requests applied before it are durable, its own included: an error or an
//     info reply can show a vote or a balance that a crash would take back.
//  3. A credit (CreditTo) does not leave before the record of its debit is durable. It can be sent again until its
//     receiver said that its own record is durable, for its settlement is in the log (Undelivered, Acknowledge).
//  4. A vote is in no record, its order is. A signature that was shown is never made for another order, because recovery
//     restores the pending order first; it is made anew, the same, when it is asked for.
//  5. When a batch is in the log at a position, Rebase tells its shards, before their next request.
//  6. Recovery loads a snapshot into an empty shard, and gives Replay the records from the snapshot's position on, in
//     their order. Each record says by its numbers whether it was applied already.
type Outcome struct {
	// Reply is dst with the reply message appended, without a frame header.
	Reply []byte
	// VoteAt is the offset in Reply of 64 bytes, zero so far, for the signature of our vote with number Ticket; -1 for none.
	VoteAt int
	// Ticket numbers the votes of a batch, from 0 after each call of Signed.
	Ticket int
	// NewVote tells that Ticket was drawn by this request: the caller must sign for it what AppendSignedBytes appends now,
	// even if a later request of the batch settles the order. For a transfer order these are its own signed bytes. After
	// a recovery any request that shows a pending order may be the first to do so.
	NewVote bool
	// CreditTo is the shard where the certificate must be credited, as the credit with CreditNumber; -1 for none.
	CreditTo     int
	CreditNumber uint64
	// At is where the request's record is, 0 when there is none.
	At Position
	// Accepted tells that the request was not refused; repeats are accepted.
	Accepted bool
	// Changed tells that the state changed, so that there is something to write down.
	Changed bool
}

// Errors of New and Fund.
var (
	ErrOptions    = errors.New("authority: bad options")
	ErrWrongShard = errors.New("authority: the account lives in another shard")
	ErrFunded     = errors.New("authority: the account is there already")
)

// New makes a shard without accounts.
func New(opts Options) (*Shard, error) {
	if opts.Committee == nil {
		return nil, fmt.Errorf("%w: no committee", ErrOptions)
	}
	if _, ok := opts.Committee.Index(&opts.Name); !ok {
		return nil, fmt.Errorf("%w: %s is not in the committee", ErrOptions, codec.FormatAddress(&opts.Name))
	}
	if opts.NumShards < 1 || opts.NumShards > committee.MaxPort || opts.Shard < 0 || opts.Shard >= opts.NumShards {
		return nil, fmt.Errorf("%w: shard %d of %d", ErrOptions, opts.Shard, opts.NumShards)
	}
	if opts.ExpectedAccounts < 0 || opts.ExpectedAccounts > maxElements {
		return nil, fmt.Errorf("%w: %d expected accounts", ErrOptions, opts.ExpectedAccounts)
	}
	opts.MaxMessage = cmp.Or(opts.MaxMessage, codec.DefaultMaxMessage)
	if opts.Log == nil {
		return nil, fmt.Errorf("%w: no log", ErrOptions)
	}
	largest := codec.MaxCertificateSize(opts.Committee.Len())
	if need := infoSize + largest; opts.MaxMessage < need {
		return nil, fmt.Errorf("%w: messages of %d bytes, but a certificate of all %d members needs %d", ErrOptions,
			opts.MaxMessage, opts.Committee.Len(), need)
	}
	s := &Shard{
		shard: opts.Shard, numShards: opts.NumShards, name: opts.Name, committee: opts.Committee,
		maxMessage: opts.MaxMessage, lanes: make([]lane, opts.NumShards),
		write: writer{log: opts.Log, shard: opts.Shard, members: opts.Committee},
	}
	s.table.key = hashKey{opts.HashSeed[0], opts.HashSeed[1]}
	s.table.index.reserve(opts.ExpectedAccounts)
	return s, nil
}

// infoSize bounds an InfoResponse with a pending vote, without certificates.
const infoSize = 4 + 32 + 16 + 8 + 1 + maxOrderSize + codec.VoteEntrySize + 1 + 8

// minCertificate is the size of a certificate with the fewest votes that make a quorum, without user data.
func minCertificate(c *committee.Committee) int {
	weights := make([]uint64, c.Len())
	for i := range weights {
		weights[i] = c.Member(i).Weight
	}
	slices.SortFunc(weights, func(a, b uint64) int { return cmp.Compare(b, a) })
	votes, weight := 0, uint64(0)
	for weight < c.Quorum() {
		weight += weights[votes]
		votes++
	}
	return maxOrderSize - codec.UserDataSize + 8 + votes*codec.VoteEntrySize
}

// Fund makes an initial account, of which there is no record. Any balance is allowed. It must live in this shard and not
// be there.
func (s *Shard) Fund(address *codec.Address, balance codec.Balance) error {
	if shard := committee.ShardOf(address, s.numShards); shard != s.shard {
		return fmt.Errorf("%w: %s is of shard %d, not %d", ErrWrongShard, codec.FormatAddress(address), shard, s.shard)
	}
	before := s.table.accounts.n
	a := s.table.open(address)
	if s.table.accounts.n == before {
		return fmt.Errorf("%w: %s", ErrFunded, codec.FormatAddress(address))
	}
	a.balance = balance
	return nil
}

// AddAccount funds an account later, and writes it down. It may be there already, since anybody can be paid: then the
// balance is added, so that the outcome does not depend on which came first.
func (s *Shard) AddAccount(address *codec.Address, balance codec.Balance) error {
	if shard := committee.ShardOf(address, s.numShards); shard != s.shard {
		return fmt.Errorf("%w: %s is of shard %d, not %d", ErrWrongShard, codec.FormatAddress(address), shard, s.shard)
	}
	s.addAccount(address, balance)
	s.write.funded(address, balance)
	return nil
}

// addAccount is AddAccount without its record, for an account of this shard.
func (s *Shard) addAccount(address *codec.Address, balance codec.Balance) {
	a := s.table.open(address)
	sum, ok := a.balance.Add(balance)
	if !ok {
		sum = codec.MaxBalance
		s.stats.CappedCredits++
	}
	a.balance = sum
}

// Precheck refuses what no signature and no state that another request could change can save: WrongShard; for
// certificates, what committee.CheckShape finds; UnexpectedMessage for what an authority does not serve, a credit between
// shards included. Nothing is allocated.
func (s *Shard) Precheck(m *codec.Message) *codec.Error {
	switch m.Kind {
	case codec.KindOrder:
		return s.checkShard(m.Order().Sender())
	case codec.KindInfoRequest:
		return s.checkShard(&m.InfoRequest().Account)
	case codec.KindCertificate:
		if err := s.checkShard(m.Certificate().Order().Sender()); err != nil {
			return err
		}
		return s.committee.CheckShape(m.Certificate())
	}
	return errUnexpectedMessage
}

func (s *Shard) checkShard(a *codec.Address) *codec.Error {
	if committee.ShardOf(a, s.numShards) != s.shard {
		return errWrongShard
	}
	return nil
}

// Signed ends a batch: signatures holds that of ticket i at index i, for all tickets since the last call. They are stored
// with the orders that are still pending. A wrong number of them panics.
func (s *Shard) Signed(signatures []crypto.Signature) { s.pending.sign(signatures) }

// AppendSignedBytes appends what is to be signed for a ticket that the last request drew.
func (s *Shard) AppendSignedBytes(dst []byte, ticket int) []byte {
	o, _, _ := codec.TakeOrder(s.pending.slots.at(s.pending.tickets[ticket]).orderBytes())
	return o.AppendSignedBytes(dst)
}

// Rebase makes the positions of the batch that was filled absolute, now that the log has it at base. It comes before the
// next request.
func (s *Shard) Rebase(base Position) {
	for _, a := range s.touched {
		a.confirmedChain.rebase(base)
		a.receivedChain.rebase(base)
	}
	for _, o := range s.marked {
		o.rebase(base)
	}
	s.touched, s.marked = s.touched[:0], s.marked[:0]
}

// refuse answers with an error.
func refuse(dst []byte, err *codec.Error) Outcome {
	return Outcome{Reply: codec.AppendError(dst, err), VoteAt: -1, CreditTo: -1}
}

// accept answers with the state of a, without certificates.
func (s *Shard) accept(dst []byte, a *account) Outcome {
	out := s.acceptHeader(dst, a)
	out.Reply = append(out.Reply, 0)
	out.Reply = binary.LittleEndian.AppendUint64(out.Reply, 0)
	return out
}

// acceptHeader answers with the state of a up to its pending vote.
func (s *Shard) acceptHeader(dst []byte, a *account) Outcome {
	out := Outcome{VoteAt: -1, CreditTo: -1, Accepted: true}
	dst = codec.AppendInfoHeader(dst, &a.address, a.balance, a.next)
	if a.pending == 0 {
		out.Reply = append(dst, 0)
		return out
	}
	p := s.pending.slots.at(a.pending - 1)
	if p.ticket == forgotten {
		s.pending.draw(a.pending-1, p)
		out.NewVote = true
	}
	dst = append(append(dst, 1), p.orderBytes()...)
	dst = append(dst, s.name[:]...)
	if p.ticket != signed {
		out.VoteAt, out.Ticket = len(dst), int(p.ticket)
	}
	out.Reply = append(dst, p.vote[:]...)
	return out
}
