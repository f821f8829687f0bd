package client

import (
	"context"
	"errors"
	"fmt"

	"fastpay/codec"
)

// QueryBalance is what an account of the wallet can spend. It is answered from the wallet when that has all payments
// made; else they are fetched first. A pending transfer is finished first; when that does not work now, its amount is
// taken off.
func (c *Client) QueryBalance(ctx context.Context, address codec.Address) (uint64, error) {
	a, err := c.account(&address)
	if err != nil {
		return 0, err
	}
	if err := c.finishPending(ctx, a); err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		c.log.Warn("a transfer of the account stays pending", "account", codec.FormatAddress(&address), "error", err)
	}
	if err := c.complete(ctx, a); err != nil {
		return 0, err
	}
	balance := a.Spendable()
	if reserved := a.Pending; !reserved.IsZero() && reserved.SequenceNumber() == a.NextSequenceNumber {
		balance -= min(balance, reserved.Amount())
	}
	return balance, nil
}

// CommitteeBalance is what the authorities say of any account: the largest balance that a quorum does not fall below, 0
// for an account that they don't know.
func (c *Client) CommitteeBalance(ctx context.Context, address codec.Address) (codec.Balance, error) {
	d := NewSurvey(c.committee, &address)
	if err := c.run(ctx, d); err != nil {
		return codec.Balance{}, err
	}
	return d.Balance(), nil
}

// Receive finds the payments to an account of the wallet that it does not know yet. Each is verified, its payer's history
// settled at a quorum, then it is counted, once, and the wallet saved. The new certificates are returned, by payer and
// number; with an error, those that could be counted nevertheless.
func (c *Client) Receive(ctx context.Context, address codec.Address) ([]codec.Certificate, error) {
	a, err := c.account(&address)
	if err != nil {
		return nil, err
	}
	if err := c.finishPending(ctx, a); err != nil && ctx.Err() == nil {
		// It may lack the very money that is about to be received.
		c.log.Warn("a transfer of the account stays pending", "account", codec.FormatAddress(&address), "error", err)
	}
	d := NewReceive(c.committee, &address, a.hasReceived)
	if err := c.run(ctx, d); err != nil {
		return nil, err
	}
	counted, err := c.countReceived(ctx, a, d.Received())
	if len(counted) > 0 {
		err = errors.Join(err, c.wallet.Save())
	}
	return counted, err
}

// countReceived settles and counts certificates, which are ordered by payer and number. Settling a payer's last one
// settles all before it.
func (c *Client) countReceived(ctx context.Context, a *Account, list []codec.Certificate) (counted []codec.Certificate,
	err error) {
	for len(list) > 0 {
		payer := *list[0].Order().Sender()
		n := 1
		for n < len(list) && *list[n].Order().Sender() == payer {
			n++
		}
		group := list[:n]
		list = list[n:]
		if settleErr := c.run(ctx, NewSettle(c.committee, group[n-1], c.lookup)); settleErr != nil {
			if ctx.Err() != nil {
				return counted, ctx.Err()
			}
			err = errors.Join(err, fmt.Errorf("client: payments of %s: %w", codec.FormatAddress(&payer), settleErr))
			continue
		}
		for _, certificate := range group {
			isNew, addErr := c.addReceived(a, certificate)
			if addErr != nil {
				return counted, addErr
			}
			if isNew {
				counted = append(counted, certificate)
			}
		}
	}
	return counted, err
}

func (c *Client) addReceived(a *Account, certificate codec.Certificate) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return a.addReceived(certificate)
}
