package client

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"fastpay/codec"
	"fastpay/crypto"
)

// Account is what the wallet knows of one of its accounts. Its fields are for reading; the Client alone changes them.
type Account struct {
	Address codec.Address

	// NextSequenceNumber is the number of payments made, as far as known.
	NextSequenceNumber uint64

	// Balance is what was ever received, less the amounts of the certificates in Sent. So it is right only once Sent is
	// complete, see Complete; it may be negative before what was received is known.
	Balance codec.Balance

	Sent     []codec.Certificate // by sequence number
	Received []codec.Certificate // by sender and sequence number, each counted once in Balance

	// Pending is the order that was signed and is not known to be settled yet; zero when there is none. Its number is
	// NextSequenceNumber, or one less when its certificate is in Sent already and lacks the settlement alone.
	Pending codec.Order

	seed [crypto.SeedSize]byte
	key  *crypto.PrivateKey // made of seed on first use
}

// Complete reports whether the certificates of all payments made are at hand, which makes Balance right.
func (a *Account) Complete() bool { return uint64(len(a.Sent)) == a.NextSequenceNumber }

// Spendable is the part of the balance that an order can name: 0 when it is negative, at most 2^64-1.
func (a *Account) Spendable() uint64 {
	if amount, ok := a.Balance.Amount(); ok {
		return amount
	}
	if a.Balance.Less(codec.Balance{}) {
		return 0
	}
	return math.MaxUint64
}

// sent returns the certificate of payment n.
func (a *Account) sent(n uint64) (codec.Certificate, bool) {
	i, ok := slices.BinarySearchFunc(a.Sent, n, compareSequence)
	if !ok {
		return codec.Certificate{}, false
	}
	return a.Sent[i], true
}

// addSent counts a certified payment of this account, once. It fails when the balance leaves 128 bits.
func (a *Account) addSent(c codec.Certificate) error {
	n := c.Order().SequenceNumber()
	i, found := slices.BinarySearchFunc(a.Sent, n, compareSequence)
	if found {
		return nil
	}
	balance, ok := a.Balance.Sub(codec.NewBalance(c.Order().Amount()))
	if !ok {
		return &codec.Error{Code: codec.BalanceUnderflow}
	}
	a.Balance = balance
	a.Sent = slices.Insert(a.Sent, i, c)
	a.NextSequenceNumber = max(a.NextSequenceNumber, n+1)
	return nil
}

// addReceived counts a payment to this account, once, and reports whether it was new.
func (a *Account) addReceived(c codec.Certificate) (counted bool, err error) {
	i, found := slices.BinarySearchFunc(a.Received, c, comparePayments)
	if found {
		return false, nil
	}
	balance, ok := a.Balance.Add(codec.NewBalance(c.Order().Amount()))
	if !ok {
		return false, &codec.Error{Code: codec.BalanceOverflow}
	}
	a.Balance = balance
	a.Received = slices.Insert(a.Received, i, c)
	return true, nil
}

// hasReceived reports whether the payment that c certifies has been counted.
func (a *Account) hasReceived(c codec.Certificate) bool {
	_, found := slices.BinarySearchFunc(a.Received, c, comparePayments)
	return found
}

// signingKey makes the key on first use, and checks that it is the address's.
func (a *Account) signingKey() (*crypto.PrivateKey, error) {
	if a.key == nil {
		key := crypto.NewPrivateKey(&a.seed)
		if key.Public() != a.Address {
			return nil, errKeyMismatch
		}
		a.key = key
	}
	return a.key, nil
}

// check refuses what can't be true of an account, and sorts its certificates.
func (a *Account) check() error {
	slices.SortStableFunc(a.Sent, comparePayments)
	slices.SortStableFunc(a.Received, comparePayments)
	for i, c := range a.Sent {
		switch n := c.Order().SequenceNumber(); {
		case *c.Order().Sender() != a.Address:
			return errors.New("a sent certificate is of another account")
		case n >= a.NextSequenceNumber:
			return fmt.Errorf("sent certificate number %d is not below next_sequence_number %d", n, a.NextSequenceNumber)
		case i > 0 && comparePayments(a.Sent[i-1], c) == 0:
			return fmt.Errorf("sent certificate number %d twice", n)
		}
	}
	for i, c := range a.Received {
		switch o := c.Order(); {
		case o.RecipientKind() != codec.FastPay || *o.Recipient() != a.Address:
			return errors.New("a received certificate pays another account")
		case i > 0 && comparePayments(a.Received[i-1], c) == 0:
			return fmt.Errorf("received certificate number %d of its sender twice", o.SequenceNumber())
		}
	}
	if a.Pending.IsZero() {
		return nil
	}
	n := a.Pending.SequenceNumber()
	if *a.Pending.Sender() != a.Address {
		return errors.New("the pending transfer is of another account")
	}
	if n != a.NextSequenceNumber && n != a.NextSequenceNumber-1 {
		return fmt.Errorf("the pending transfer has number %d, and next_sequence_number is %d", n, a.NextSequenceNumber)
	}
	return nil
}

func compareSequence(c codec.Certificate, n uint64) int {
	return cmp.Compare(c.Order().SequenceNumber(), n)
}

// comparePayments orders certificates by what they certify: sender, then sequence number.
func comparePayments(a, b codec.Certificate) int {
	if c := bytes.Compare(a.Order().Sender()[:], b.Order().Sender()[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.Order().SequenceNumber(), b.Order().SequenceNumber())
}

// sameTransfer reports whether two orders are the same order; signatures don't count.
func sameTransfer(a, b codec.Order) bool { return bytes.Equal(a.TransferBytes(), b.TransferBytes()) }
