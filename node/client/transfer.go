package client

import (
	"context"
	"errors"
	"fmt"

	"fastpay/codec"
	"fastpay/crypto"
)

// InsufficientFundsError is an amount above what the wallet knows to have. The text is the prototype's.
type InsufficientFundsError struct{ Requested, Available uint64 }

func (e *InsufficientFundsError) Error() string {
	return fmt.Sprintf("Requested amount (Amount(%d)) is not backed by sufficient funds (Amount(%d))", e.Requested, e.Available)
}

// Errors about a payment that was signed.
var (
	// ErrPending is a payment that could not be finished. Its order is in the wallet, blocks its account, and is tried
	// again by the account's next command; making the payment again would pay twice.
	ErrPending = errors.New("client: a signed transfer is pending")

	// ErrNotSent is a payment whose order could not be saved, and therefore was not sent to anybody. The Client tries again
	// with the account's next command; for another process it never was, as far as the file tells.
	ErrNotSent = errors.New("client: the transfer was not sent")

	// ErrNotSettled is a payment that is certified, hence final, but not known to be settled at a quorum. The account's
	// next command settles it.
	ErrNotSettled = errors.New("client: the transfer is certified and saved, but not settled yet")

	// ErrNumberUsed is a payment that can never be made, because another one has its sequence number. That happens when
	// one account is used from two wallets. The account goes on with the next number.
	ErrNumberUsed = errors.New("client: another transfer was made under this sequence number; is the account in two wallets?")

	// ErrMissingCertificate is a payment of the account that authorities know of, and whose certificate none can show.
	ErrMissingCertificate = errors.New("client: the certificate of an earlier transfer is not to be had")
)

// Transfer pays amount from an account of the wallet. It returns the certificate once a quorum has settled the payment,
// and the wallet is saved. An account of the wallet that is paid is updated too. What fails before the order is signed
// changes nothing; after that, errors wrap ErrNotSent, ErrPending, ErrNotSettled (the certificate is returned) or
// ErrNumberUsed.
//
// Whatever is left of an earlier payment of the account is finished first.
func (c *Client) Transfer(ctx context.Context, from codec.Address, to codec.Recipient, amount uint64,
	data codec.UserData) (codec.Certificate, error) {
	a, err := c.account(&from)
	if err != nil {
		return codec.Certificate{}, err
	}
	if amount == 0 {
		return codec.Certificate{}, &codec.Error{Code: codec.IncorrectTransferAmount}
	}
	if a.Complete() && a.Pending.IsZero() && amount > a.Spendable() {
		return codec.Certificate{}, &InsufficientFundsError{amount, a.Spendable()}
	}
	survey, err := c.prepare(ctx, a)
	if err != nil {
		return codec.Certificate{}, err
	}
	if a.NextSequenceNumber > codec.MaxSequenceNumber {
		return codec.Certificate{}, &codec.Error{Code: codec.InvalidSequenceNumber}
	}
	if amount > a.Spendable() {
		return codec.Certificate{}, &InsufficientFundsError{amount, a.Spendable()}
	}
	order, err := sign(a, codec.Transfer{Sender: from, Recipient: to, Amount: amount,
		SequenceNumber: a.NextSequenceNumber, UserData: data})
	if err != nil {
		return codec.Certificate{}, err
	}
	a.Pending = order
	c.wallet.unsaved = true
	return c.finish(ctx, a, survey)
}

// sign makes the order of a transfer. Nothing else in the package signs, and nobody may call it for an account with
// something pending.
func sign(a *Account, t codec.Transfer) (codec.Order, error) {
	if !a.Pending.IsZero() {
		panic("client: a second order would be signed")
	}
	key, err := a.signingKey()
	if err != nil {
		return codec.Order{}, fmt.Errorf("client: account %s: %w", codec.FormatAddress(&a.Address), err)
	}
	var signature crypto.Signature
	key.Sign(&signature, t.AppendSignedBytes(nil))
	return codec.NewOrder(&t, &signature), nil
}

// prepare makes the account ready to sign: what is pending is finished, all its payments are at hand, and a quorum of
// authorities was asked whether it knows of others, made from a newer copy of the wallet.
func (c *Client) prepare(ctx context.Context, a *Account) (*Driver, error) {
	if err := c.finishPending(ctx, a); err != nil {
		return nil, err
	}
	if err := c.complete(ctx, a); err != nil {
		return nil, err
	}
	for {
		survey := NewSurvey(c.committee, &a.Address)
		if err := c.run(ctx, survey); err != nil {
			return nil, err
		}
		if err := c.adoptSent(ctx, a, survey); err != nil {
			return nil, err
		}
		unknown, ok := unknownOrder(survey, a.NextSequenceNumber)
		if !ok {
			return survey, nil
		}
		c.log.Warn("finishing a transfer that this wallet did not know", "account", codec.FormatAddress(&a.Address),
			"sequence_number", a.NextSequenceNumber)
		a.Pending = unknown
		c.wallet.unsaved = true
		if err := c.finishPending(ctx, a); err != nil {
			return nil, err
		}
	}
}

// unknownOrder finds an order of the account, pending at some authority under the number that would be used next.
func unknownOrder(survey *Driver, number uint64) (codec.Order, bool) {
	for _, conflict := range survey.Conflicts() {
		if conflict.Order.SequenceNumber() == number {
			return conflict.Order, true
		}
	}
	return codec.Order{}, false
}

// finishPending carries the account's pending transfer out, if there is one.
func (c *Client) finishPending(ctx context.Context, a *Account) error {
	if a.Pending.IsZero() {
		return nil
	}
	o := a.Pending
	_, err := c.finish(ctx, a, nil)
	if errors.Is(err, ErrNumberUsed) {
		c.log.Warn("an earlier transfer can't be made any more", "account", codec.FormatAddress(&a.Address), "error", err)
		return nil
	}
	if err == nil {
		c.log.Info("finished an earlier transfer", "account", codec.FormatAddress(&a.Address),
			"sequence_number", o.SequenceNumber(), "amount", o.Amount(), "recipient", codec.FormatAddress(o.Recipient()))
	}
	return err
}

// finish carries out what is pending: certificate, settlement, wallet. It saves the wallet before the order is sent, and
// with the certificate before that is: once the payment is settled no authority votes for it any more, and those that keep
// only the last of their records can't show the certificate for ever.
func (c *Client) finish(ctx context.Context, a *Account, survey *Driver) (codec.Certificate, error) {
	order := a.Pending
	number := order.SequenceNumber()
	certificate, certified := a.sent(number)
	if !certified {
		var err error
		if c.wallet.unsaved {
			err = c.wallet.Save()
		}
		if err != nil {
			return codec.Certificate{}, fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		if certificate, err = c.certify(ctx, a, order, survey); err != nil {
			return codec.Certificate{}, fmt.Errorf("%w: number %d of account %s stays in the wallet, its next command tries again: %w",
				ErrPending, number, codec.FormatAddress(&a.Address), err)
		}
		if err := c.record(a, certificate, false); err != nil {
			return codec.Certificate{}, fmt.Errorf("%w: number %d of account %s has a certificate, which is not sent before it is saved: %w",
				ErrPending, number, codec.FormatAddress(&a.Address), err)
		}
	} else if c.wallet.unsaved {
		if err := c.wallet.Save(); err != nil {
			return codec.Certificate{}, fmt.Errorf("%w: %w", ErrPending, err)
		}
	}
	settleErr := c.run(ctx, NewSettle(c.committee, certificate, c.lookup))
	if err := c.record(a, certificate, settleErr == nil); err != nil {
		return certificate, err
	}
	if !sameTransfer(certificate.Order(), order) {
		if settleErr == nil {
			return codec.Certificate{}, fmt.Errorf("%w (account %s, number %d)", ErrNumberUsed,
				codec.FormatAddress(&a.Address), number)
		}
		return codec.Certificate{}, fmt.Errorf("%w: %w", ErrPending, settleErr)
	}
	if settleErr != nil {
		return certificate, fmt.Errorf("%w: %w", ErrNotSettled, settleErr)
	}
	return certificate, nil
}

// certify gets the certificate of a signed order, or of another one that took its number. When authorities hold another
// order of the owner, that one is tried too: it was signed elsewhere, and one of the two may be able to win.
func (c *Client) certify(ctx context.Context, a *Account, order codec.Order, survey *Driver) (codec.Certificate, error) {
	ours := NewCertify(c.committee, order, a.Received, c.lookup, survey)
	err := c.run(ctx, ours)
	if err == nil {
		return ours.Certificate(), nil
	}
	for _, conflict := range ours.Conflicts() {
		other := NewCertify(c.committee, conflict.Order, a.Received, c.lookup, nil)
		if otherErr := c.run(ctx, other); otherErr == nil {
			return other.Certificate(), nil
		}
	}
	if len(ours.Conflicts()) > 0 {
		return codec.Certificate{}, fmt.Errorf("authorities hold another signed transfer of this number, and neither has a"+
			" quorum: %w", err)
	}
	return codec.Certificate{}, err
}

// record takes a certificate into the wallet, and once it is settled, to the payee's side if that is ours too. The payment
// then isn't pending any more.
func (c *Client) record(a *Account, certificate codec.Certificate, settled bool) error {
	if err := c.count(a, certificate, settled); err != nil {
		return err
	}
	return c.wallet.Save()
}

// count is record without saving.
func (c *Client) count(a *Account, certificate codec.Certificate, settled bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := a.addSent(certificate); err != nil {
		return err
	}
	if !settled {
		return nil
	}
	a.Pending = codec.Order{}
	o := certificate.Order()
	if o.RecipientKind() != codec.FastPay {
		return nil
	}
	if payee := c.wallet.Account(o.Recipient()); payee != nil {
		if _, err := payee.addReceived(certificate); err != nil {
			return err
		}
		c.log.Debug("updated the recipient's local balance", "account", codec.FormatAddress(o.Recipient()))
	}
	return nil
}

// fetchWindow is how many certificates of the account's own are fetched at a time.
const fetchWindow = 64

// complete fetches the certificates that the wallet lacks of payments that it knows were made, as after a benchmark by
// the prototype, which does not keep them.
func (c *Client) complete(ctx context.Context, a *Account) error {
	number := uint64(0)
	for i := 0; !a.Complete() && number < a.NextSequenceNumber; {
		if i < len(a.Sent) && a.Sent[i].Order().SequenceNumber() == number {
			i, number = i+1, number+1
			continue
		}
		end := min(a.NextSequenceNumber, number+fetchWindow)
		if i < len(a.Sent) {
			end = min(end, a.Sent[i].Order().SequenceNumber())
		}
		d := NewFetch(c.committee, &a.Address, number, end)
		err := c.run(ctx, d)
		if adoptErr := c.adopt(a, d.Fetched()); adoptErr != nil {
			return adoptErr
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrMissingCertificate, err)
			if len(d.Fetched()) > 0 {
				err = errors.Join(err, c.wallet.Save())
			}
			return err
		}
		i, number = i+int(end-number), end
		if number == a.NextSequenceNumber {
			return c.wallet.Save()
		}
	}
	return nil
}

// adoptSent fetches certificates of payments that authorities say were made, and this wallet does not know. A single
// authority may say so wrongly; what none can show counts only if an honest one must be among those who say it.
func (c *Client) adoptSent(ctx context.Context, a *Account, survey *Driver) error {
	claimed, sure := survey.Next()
	known := a.NextSequenceNumber
	for claimed > a.NextSequenceNumber {
		d := NewFetch(c.committee, &a.Address, a.NextSequenceNumber, min(claimed, a.NextSequenceNumber+fetchWindow))
		err := c.run(ctx, d)
		if adoptErr := c.adopt(a, d.Fetched()); adoptErr != nil {
			return adoptErr
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if sure > a.NextSequenceNumber {
			return fmt.Errorf("%w: %w", ErrMissingCertificate, err)
		}
		break
	}
	if a.NextSequenceNumber == known {
		return nil
	}
	c.log.Warn("the wallet lacked transfers of this account", "account", codec.FormatAddress(&a.Address),
		"found", a.NextSequenceNumber-known)
	return c.wallet.Save()
}

func (c *Client) adopt(a *Account, list []codec.Certificate) error {
	for _, certificate := range list {
		if err := c.count(a, certificate, false); err != nil {
			return err
		}
	}
	return nil
}
