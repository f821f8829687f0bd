package authority

import "fastpay/codec"

// An account is one entry of the table, 128 bytes: two cache lines, of which an order reads the first.
type account struct {
	address      codec.Address
	balance      codec.Balance
	next         uint64 // sequence number of the next payment
	pending      uint32 // slot of the pending order + 1; 0 when there is none
	synchronized uint32 // transactions of the Primary that were credited; stays at its largest value

	confirmed      uint64 // length of the confirmed log; its last certificate has sequence number next - 1
	received       uint64 // length of the received log
	confirmedChain chain
	receivedChain  chain
}

// isProvisional reports whether a record of the batch that is being filled is in one of the account's logs.
func (a *account) isProvisional() bool {
	return a.confirmedChain.tail.IsProvisional() || a.receivedChain.tail.IsProvisional()
}

// An accountTable holds the accounts of a shard, numbered in the order of their creation. They are never removed: an
// account's sequence number is what makes its old orders worthless.
type accountTable struct {
	key      hashKey
	index    index
	accounts slab[account]
}

// find is the account at a, nil when there is none.
func (t *accountTable) find(a *codec.Address) *account { return t.findHashed(a, t.key.of(a)) }

func (t *accountTable) findHashed(a *codec.Address, hash uint64) *account {
	p := t.index.probe(hash)
	for {
		i, ok := p.next()
		if !ok {
			return nil
		}
		if c := t.accounts.at(i); c.address == *a {
			return c
		}
	}
}

// open is the account at a, made if it is not there.
func (t *accountTable) open(a *codec.Address) *account { return t.openHashed(a, t.key.of(a)) }

func (t *accountTable) openHashed(a *codec.Address, hash uint64) *account {
	if c := t.findHashed(a, hash); c != nil {
		return c
	}
	i, c := t.accounts.add()
	c.address = *a
	t.index.insert(hash, i)
	return c
}
