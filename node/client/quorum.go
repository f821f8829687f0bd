package client

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fastpay/codec"
)

// QuorumError is that too many authorities failed or refused for a quorum to be possible.
type QuorumError struct {
	// Cause is what authorities of validity weight all said, so that an honest one did; nil when they disagreed.
	Cause error

	// Authorities has what each of the failing ones said, by index in the committee.
	Authorities []AuthorityError
}

// AuthorityError is what went wrong at one authority.
type AuthorityError struct {
	Index int
	Err   error
}

// noQuorum is how the prototype begins such errors; scripts may look for it.
const noQuorum = "Failed to communicate with a quorum of authorities"

// Error is the cause, or what each said.
func (e *QuorumError) Error() string {
	if e.Cause != nil {
		return noQuorum + ": " + e.Cause.Error()
	}
	said := make([]string, len(e.Authorities))
	for i, a := range e.Authorities {
		said[i] = fmt.Sprintf("authority %d: %v", a.Index, a.Err)
	}
	return noQuorum + " (multiple errors): " + strings.Join(said, "; ")
}

// Unwrap is the cause.
func (e *QuorumError) Unwrap() error { return e.Cause }

// quorumError sums up the seats that were lost. Errors are the same when their texts are.
func (d *Driver) quorumError() *QuorumError {
	e := new(QuorumError)
	for i := range d.seats {
		if s := &d.seats[i]; s.step == stepLost {
			e.Authorities = append(e.Authorities, AuthorityError{i, s.err})
		}
	}
	for _, a := range e.Authorities {
		weight := uint64(0)
		for _, b := range e.Authorities {
			if a.Err.Error() == b.Err.Error() {
				weight += d.weight(b.Index)
			}
		}
		if weight >= d.committee.Validity() {
			e.Cause = a.Err
			break
		}
	}
	return e
}

// Next is what NewSurvey learned of the account's next sequence number: the largest that anyone claims, and the largest
// that authorities of validity weight do not fall below, which is thus true of an honest one.
func (d *Driver) Next() (claimed, sure uint64) {
	type claim struct{ next, weight uint64 }
	var claims []claim
	for i := range d.seats {
		if s := &d.seats[i]; s.step == stepDone {
			claims = append(claims, claim{s.state.NextSequenceNumber, d.weight(i)})
		}
	}
	slices.SortFunc(claims, func(a, b claim) int { return cmp.Compare(b.next, a.next) })
	weight := uint64(0)
	for _, c := range claims {
		claimed = max(claimed, c.next)
		if weight += c.weight; weight >= d.committee.Validity() {
			return claimed, c.next
		}
	}
	return claimed, 0
}

// Balance is what NewSurvey learned of the account's balance: the largest that a quorum does not fall below.
func (d *Driver) Balance() codec.Balance {
	var said []codec.Balance
	for i := range d.seats {
		if s := &d.seats[i]; s.step == stepDone {
			said = append(said, s.state.Balance)
		}
	}
	slices.SortFunc(said, compareBalances)
	// The committee compares amounts; balances are wider, so it is given their ranks.
	rank := d.committee.StrongMajorityLowerBound(func(yield func(int, uint64) bool) {
		for i := range d.seats {
			if s := &d.seats[i]; s.step == stepDone {
				r, _ := slices.BinarySearchFunc(said, s.state.Balance, compareBalances)
				if !yield(i, uint64(r)+1) {
					return
				}
			}
		}
	})
	if rank == 0 {
		return codec.Balance{}
	}
	return said[rank-1]
}

func compareBalances(a, b codec.Balance) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

// Received is what NewReceive collected, by payer and number.
func (d *Driver) Received() []codec.Certificate {
	list := make([]codec.Certificate, 0, len(d.received))
	for _, c := range d.received {
		list = append(list, c)
	}
	slices.SortFunc(list, comparePayments)
	return list
}

// Fetched is what NewFetch fetched, in order, up to the first that is not to be had.
func (d *Driver) Fetched() []codec.Certificate {
	var list []codec.Certificate
	for _, p := range d.wanted {
		f := d.fetches[p]
		if !f.finished || f.err != nil {
			break
		}
		list = append(list, f.certificate)
	}
	return list
}
