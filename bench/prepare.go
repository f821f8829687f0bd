package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
)

// prepared is everything that a run sends, and expects.
type prepared struct {
	*workload
	lanes   []*lane // one a connection
	settle  []*lane // the certificates of lanes, which holds orders alone; else nil
	total   int     // payments
	cached  int     // payments whose signatures came from the cache
	elapsed time.Duration
}

// signaturesOf is how many signatures a payment takes: the sender's, the measured authority's, the voters'.
func (w *workload) signaturesOf() int { return 2 + len(w.voters) }

// shape is what the payments of a workload are arranged by.
type shape struct {
	accounts    int
	shards      int
	connections int // to each shard
	phase       Phase
	mix         Mix
}

// prepare makes the first total payments, on all CPUs. Canceling ctx ends it early with ctx's error.
func prepare(ctx context.Context, w *workload, c *cache, s shape, total int, p *progress) (*prepared, error) {
	began := time.Now()
	accounts := s.accounts
	if w.accounts = c.loadAccounts(); w.accounts == nil {
		w.expand(accounts, total)
		c.storeAccounts(w.accounts)
	}
	w.mixed(s.mix, s.shards)
	made := &prepared{workload: w, lanes: newLanes(w, s.shards, s.connections, total, s.phase.requests()), total: total}
	if s.phase == Orders {
		made.settle = newLanes(w, s.shards, s.connections, total, certificatesOnly)
	}
	signer := newSigner(w, made.lanes, made.settle)
	var stores sync.WaitGroup
	defer stores.Wait()
	for round := 0; round*accounts < total; {
		senders := min(accounts, total-round*accounts)
		if s := c.loadRound(round, accounts*w.signaturesOf()); s != nil {
			signer.place(round, senders, s)
			made.cached += senders
			p.add(senders)
			round++
			continue
		}
		if w.private == nil {
			w.expand(accounts, total)
		}
		rounds := 1
		for rounds < signer.roundsAtOnce() && (round+rounds+1)*accounts <= total && !c.hasRound(round+rounds) {
			rounds++
		}
		signatures, err := signer.sign(ctx, round, rounds, senders, p)
		if err != nil {
			return nil, err
		}
		for i, s := range signatures {
			signer.place(round+i, senders, s)
		}
		if senders == accounts { // a part of a round is not cached
			stores.Wait() // at most two groups in memory
			first := round
			stores.Go(func() {
				for i, s := range signatures {
					c.storeRound(first+i, s)
				}
			})
		}
		round += rounds
	}
	made.elapsed = time.Since(began)
	return made, nil
}

// Rounds are signed several together, so that a sender's key signs several messages at once, which is where signing in
// lanes pays; fewer where they would take much memory.
const (
	signRounds = 8
	signBytes  = 256 << 20
)

// signChunk is how many senders a goroutine takes at a time.
const signChunk = 64

// signer makes signatures of whole rounds and turns them into lanes.
type signer struct {
	w      *workload
	lanes  []*lane
	settle []*lane // as in prepared
	laneOf []int32 // by account
	rankOf []int32 // by account: its place in its lane's accounts
}

func newSigner(w *workload, lanes, settle []*lane) *signer {
	s := &signer{w: w, lanes: lanes, settle: settle, laneOf: make([]int32, len(w.accounts)), rankOf: make([]int32, len(w.accounts))}
	for i, l := range lanes {
		for rank, account := range l.accounts {
			s.laneOf[account], s.rankOf[account] = int32(i), int32(rank)
		}
	}
	return s
}

func (s *signer) roundsAtOnce() int {
	round := len(s.w.accounts) * s.w.signaturesOf() * crypto.SignatureSize
	return min(signRounds, max(1, signBytes/round))
}

// sign makes the signatures of some rounds for the first senders accounts, one slice a round, signaturesOf for each
// account. More than one round is of all accounts.
func (s *signer) sign(ctx context.Context, first, rounds, senders int, p *progress) ([][]crypto.Signature, error) {
	made := make([][]crypto.Signature, rounds)
	for i := range made {
		made[i] = make([]crypto.Signature, senders*s.w.signaturesOf())
	}
	chunks := (senders + signChunk - 1) / signChunk
	parallel(chunks, 1, func(chunk int) {
		if ctx.Err() != nil {
			return
		}
		from, to := chunk*signChunk, min((chunk+1)*signChunk, senders)
		s.signChunk(made, first, from, to)
		p.add((to - from) * rounds)
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("bench: preparing payments: %w", err)
	}
	return made, nil
}

// signChunk signs the payments of the senders from..to-1 in all rounds of made.
func (s *signer) signChunk(made [][]crypto.Signature, first, from, to int) {
	rounds, per := len(made), s.w.signaturesOf()
	count := (to - from) * rounds
	text := make([]byte, 0, count*codec.MaxSignedSize) // never grows: messages are views of it
	messages := make([][]byte, 0, count)               // by sender, then round
	for i := from; i < to; i++ {
		for r := range rounds {
			t := s.w.transfer(i, first+r)
			start := len(text)
			text = t.AppendSignedBytes(text)
			messages = append(messages, text[start:])
		}
	}
	out := make([]crypto.Signature, count)
	scatter := func(column int) {
		for k := range out {
			made[k%rounds][(from+k/rounds)*per+column] = out[k]
		}
	}
	for i := from; i < to; i++ {
		k := (i - from) * rounds
		s.w.private[i].SignBatch(out[k:k+rounds], messages[k:k+rounds])
	}
	scatter(0)
	s.w.members[0].SignBatch(out, messages)
	scatter(1)
	for v, member := range s.w.voters {
		s.w.members[member].SignBatch(out, messages)
		scatter(2 + v)
	}
}

// place writes the payments of the first senders accounts of a round into their lanes.
func (s *signer) place(round, senders int, signatures []crypto.Signature) {
	per := s.w.signaturesOf()
	chunks := (senders + signChunk - 1) / signChunk
	parallel(chunks, 1, func(chunk int) {
		voters := make([]codec.VoteEntry, len(s.w.voters))
		for v, member := range s.w.voters {
			voters[v].Authority = s.w.members[member].Public()
		}
		for i := chunk * signChunk; i < min((chunk+1)*signChunk, senders); i++ {
			l := s.lanes[s.laneOf[i]]
			t := s.w.transfer(i, round)
			k := round*len(l.accounts) + int(s.rankOf[i])
			l.put(k, &t, voters, signatures[i*per:(i+1)*per])
			if s.settle != nil {
				s.settle[s.laneOf[i]].put(k, &t, voters, signatures[i*per:(i+1)*per])
			}
		}
	})
}
