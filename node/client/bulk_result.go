package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"

	"fastpay/codec"
	"fastpay/crypto"
)

// bulkVote is a vote that came back, to be verified.
type bulkVote struct {
	authority int
	signature crypto.Signature
}

// certify checks the votes that came back, and makes certificates of them, or with the server keys.
func (b *bulk) certify(flows []*flow) error {
	votes := make([][]bulkVote, len(b.items))
	b.result.Orders.Errors = make(map[string]int)
	for _, f := range flows {
		for i := range f.requests {
			r := &f.requests[i]
			if v, err := b.voteIn(r, f.at.authority); err != nil {
				b.result.Orders.Errors[err.Error()]++
				used := errors.Is(err, &codec.Error{Code: codec.UnexpectedSequenceNumber})
				b.items[r.item].used = b.items[r.item].used || used
			} else {
				votes[r.item] = append(votes[r.item], v)
			}
		}
	}
	b.reportErrors(b.result.Orders.Errors)
	valid, err := b.verify(votes)
	if err != nil {
		return err
	}
	for i, item := range b.items {
		b.result.ValidVotes += len(valid[i])
		if item.certificate.IsZero() && len(b.options.ServerKeys) == 0 {
			item.certificate = b.certificate(item, valid[i])
		}
	}
	b.report(slog.LevelWarn, fmt.Sprintf("Received %d valid votes.", b.result.ValidVotes))
	if len(b.options.ServerKeys) > 0 {
		parallel(len(b.items), func(i int) { b.signByServers(b.items[i]) })
	}
	return nil
}

// recover gets the certificates of transfers that some authorities settled in an earlier run, and that no quorum votes for
// any more. It takes the receive time-out at most; what is left is for the next run.
func (b *bulk) recover(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, b.network.recvTimeout)
	defer cancel()
	for _, item := range b.items {
		if item.certificate.IsZero() && item.used && ctx.Err() == nil {
			item.certificate, _ = b.client.certify(ctx, item.account, item.order, nil)
		}
		if !item.certificate.IsZero() {
			b.result.Certificates++
		}
	}
}

// voteIn finds the vote in an answer; its signature is yet to be verified.
func (b *bulk) voteIn(r *flowRequest, authority int) (bulkVote, error) {
	var m codec.Message
	if err := answerError(r, &m); err != nil {
		return bulkVote{}, err
	}
	item := b.items[r.item]
	v := m.InfoResponse().Pending
	if m.InfoResponse().Account != item.account.Address || v.IsZero() ||
		*v.Authority() != b.client.committee.Member(authority).Name || !sameTransfer(v.Order(), item.order) {
		return bulkVote{}, &codec.Error{Code: codec.ErrorWhileProcessingTransferOrder}
	}
	return bulkVote{authority, *v.Signature()}, nil
}

// answerError decodes an answer, and gives the error when it is none that was hoped for.
func answerError(r *flowRequest, m *codec.Message) error {
	switch {
	case r.err != nil:
		return r.err
	case !m.Decode(r.reply):
		return &codec.Error{Code: codec.InvalidDecoding}
	case m.Kind == codec.KindError:
		return m.Error()
	case m.Kind != codec.KindInfoResponse:
		return &codec.Error{Code: codec.UnexpectedMessage}
	}
	return nil
}

// verifyItems is how many items' votes are verified together.
const verifyItems = 64

// verify returns the good ones among the votes for each item.
func (b *bulk) verify(votes [][]bulkVote) ([][]bulkVote, error) {
	keys, err := b.client.committee.Keys()
	if err != nil {
		return nil, err
	}
	valid := make([][]bulkVote, len(votes))
	bad := new(atomic.Int64)
	parallel((len(votes)+verifyItems-1)/verifyItems, func(chunk int) {
		first := chunk * verifyItems
		last := min(first+verifyItems, len(votes))
		verifier := crypto.NewVerifier(keys)
		var places []int
		for i := first; i < last; i++ {
			for k := range votes[i] {
				v := &votes[i][k]
				places = append(places, verifier.AddVote(v.authority, b.items[i].signed, &v.signature))
			}
		}
		verifier.Verify()
		for i, next := first, 0; i < last; i++ {
			for k := range votes[i] {
				if verifier.Valid(places[next]) {
					valid[i] = append(valid[i], votes[i][k])
				} else {
					bad.Add(1)
				}
				next++
			}
		}
	})
	if n := bad.Load(); n > 0 {
		b.report(slog.LevelError, fmt.Sprintf("%d votes do not verify", n))
	}
	return valid, nil
}

// certificate makes one of the first votes that are a quorum, the zero one when they are not.
func (b *bulk) certificate(item *bulkItem, votes []bulkVote) codec.Certificate {
	var entries []codec.VoteEntry
	weight := uint64(0)
	for i := range votes {
		m := b.client.committee.Member(votes[i].authority)
		entries = append(entries, codec.VoteEntry{Authority: m.Name, Signature: votes[i].signature})
		if weight += m.Weight; weight >= b.client.committee.Quorum() {
			return codec.NewCertificate(item.order, entries)
		}
	}
	return codec.Certificate{}
}

// signByServers makes a certificate with the authorities' own keys.
func (b *bulk) signByServers(item *bulkItem) {
	if !item.certificate.IsZero() {
		return
	}
	var votes []bulkVote
	for _, key := range b.options.ServerKeys {
		name := key.Public()
		i, _ := b.client.committee.Index(&name)
		v := bulkVote{authority: i}
		key.Sign(&v.signature, item.signed)
		votes = append(votes, v)
	}
	item.certificate = b.certificate(item, votes)
}

// keep saves the new certificates, all in one write, before any is sent.
func (b *bulk) keep() error {
	isNew := false
	for _, item := range b.items {
		if item.certificate.IsZero() {
			continue
		}
		if _, had := item.account.sent(item.certificate.Order().SequenceNumber()); had {
			continue
		}
		isNew = true
		if err := b.client.count(item.account, item.certificate, false); err != nil {
			return err
		}
	}
	if !isNew {
		return nil
	}
	return b.client.wallet.Save()
}

// confirm counts the confirmations that came back.
func (b *bulk) confirm(flows []*flow) {
	b.result.Confirmations.Errors = make(map[string]int)
	confirmed := make(map[int]bool)
	for _, item := range b.items {
		item.settledAt = make([]bool, b.client.committee.Len())
	}
	for _, f := range flows {
		for i := range f.requests {
			r := &f.requests[i]
			item := b.items[r.item]
			var m codec.Message
			err := answerError(r, &m)
			if info := m.InfoResponse(); err == nil &&
				(info.Account != item.account.Address || info.NextSequenceNumber <= item.order.SequenceNumber()) {
				err = errAnswer
			}
			if err != nil {
				b.result.Confirmations.Errors[err.Error()]++
				item.behind = item.behind || f.anyAnswer()
				continue
			}
			item.settledAt[f.at.authority] = true
			item.confirmed += b.client.committee.Member(f.at.authority).Weight
			confirmed[r.item] = true
			b.result.ValidConfirmations++
		}
	}
	b.reportErrors(b.result.Confirmations.Errors)
	b.report(slog.LevelWarn, fmt.Sprintf("Received %d valid confirmations for %d transfers.",
		b.result.ValidConfirmations, len(confirmed)))
}

// reportErrors says each error once, with its number.
func (b *bulk) reportErrors(errs map[string]int) {
	for _, text := range slices.Sorted(maps.Keys(errs)) {
		b.report(slog.LevelError, fmt.Sprintf("Received error value: %s (%d times)", text, errs[text]))
	}
}

// update takes into the wallet what is certain, and saves it.
func (b *bulk) update() error {
	b.report(slog.LevelWarn, "Updating local state of user accounts")
	for _, item := range b.items {
		if item.certificate.IsZero() {
			continue
		}
		settled := item.confirmed >= b.client.committee.Quorum()
		if settled {
			b.result.Settled++
		}
		if err := b.client.count(item.account, item.certificate, settled); err != nil {
			return err
		}
	}
	if err := b.client.wallet.Save(); err != nil {
		return err
	}
	b.report(slog.LevelInfo, "Saved client account state")
	return nil
}

// catchUp settles everywhere what some reachable authority has not settled, for Options.CatchUp at most.
func (b *bulk) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, b.client.options.CatchUp)
	defer cancel()
	parallel(len(b.items), func(i int) {
		item := b.items[i]
		if !item.behind || ctx.Err() != nil {
			return
		}
		d := newSettle(b.client.committee, item.certificate, b.client.lookup, item.settledAt)
		ctx, stop := context.WithCancel(ctx)
		b.client.drive(ctx, stop, d, make(chan error, 1))
	})
}

// verdict is an error when the benchmark came to nothing; single failures are in the result.
func (b *bulk) verdict(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if b.result.Settled > 0 {
		return nil
	}
	most, times := "", 0
	for _, errs := range []map[string]int{b.result.Orders.Errors, b.result.Confirmations.Errors} {
		for _, text := range slices.Sorted(maps.Keys(errs)) {
			if errs[text] > times {
				most, times = text, errs[text]
			}
		}
	}
	return noQuorumError(fmt.Sprintf("%s (%d times)", most, times))
}

// noQuorumError is a benchmark in which not one transfer was settled, and what was heard most.
type noQuorumError string

func (e noQuorumError) Error() string { return noQuorum + ": " + string(e) }
