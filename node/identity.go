package node

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"fastpay/codec"
	"fastpay/node/committee"
	"fastpay/node/journal"
)

// The fields of a journal's identity, which is fixed when the journal is begun.
const (
	fieldAuthority = "authority"
	fieldShards    = "shards"
	fieldNumShards = "number of shards"
	fieldCommittee = "committee"
	fieldAccounts  = "initial accounts"
)

// identity says whose journal is begun with this configuration.
func (c *config) identity(accounts accountsList) journal.Identity {
	return journal.Identity{
		{Name: fieldAuthority, Value: codec.FormatAddress(&c.Member.Name)},
		{Name: fieldShards, Value: formatShards(c.shards)},
		{Name: fieldNumShards, Value: fmt.Sprint(c.Member.NumShards)},
		{Name: fieldCommittee, Value: committeeID(c.Committee)},
		{Name: fieldAccounts, Value: accounts.String()},
	}
}

// hintsByField say what to do about a field that differs.
var hintsByField = map[string]string{
	fieldAuthority: "give each authority a data directory of its own, see --data-dir",
	fieldShards:    "the folder was renamed: give it its name again",
	fieldNumShards: "the number of shards is fixed for an authority's life: give the server and committee file with which it was begun",
	fieldCommittee: "the committee is fixed: give the committee file with which the authority was begun",
	fieldAccounts:  "give the file with which the authority was begun; its balances are not applied again",
}

// checkIdentity refuses a journal in folder that was begun with another identity, but for the initial accounts, and names
// what differs.
func checkIdentity(folder string, have, want journal.Identity) error {
	var lines []string
	hint := ""
	for _, w := range want {
		h := fieldOf(have, w.Name)
		if w.Name == fieldAccounts || h == w.Value {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s is %s there, and %s here", w.Name, h, w.Value))
		if hint == "" {
			hint = hintsByField[w.Name]
		}
	}
	if lines == nil {
		return nil
	}
	return &Refusal{fmt.Sprintf("%s has another identity: %s", folder, strings.Join(lines, "; ")), hint}
}

func fieldOf(id journal.Identity, name string) string {
	for _, f := range id {
		if f.Name == name {
			return f.Value
		}
	}
	return "unknown"
}

// committeeID names what of a committee may not change while there is a journal: its members in their order, since
// records refer to them by place, and their weights. Where they are found may change.
func committeeID(c *committee.Committee) string {
	h := sha256.New()
	for i := range c.Len() {
		m := c.Member(i)
		_, _ = h.Write(m.Name[:]) // never fails
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, m.Weight))
	}
	return fmt.Sprintf("%d members, sha256 %s", c.Len(), hex.EncodeToString(h.Sum(nil)))
}

// accountsList names a list of accounts with their balances, in its order: how many, and a hash.
type accountsList struct {
	count uint64
	hash  [sha256.Size]byte
}

// String is the value of the identity's field.
func (l accountsList) String() string {
	return fmt.Sprintf("%d accounts, sha256 %s", l.count, hex.EncodeToString(l.hash[:]))
}

// read is the inverse of String.
func (l *accountsList) read(s string) (ok bool) {
	var text string
	if n, err := fmt.Sscanf(s, "%d accounts, sha256 %s", &l.count, &text); n != 2 || err != nil {
		return false
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != len(l.hash) {
		return false
	}
	copy(l.hash[:], hash)
	return l.String() == s
}

// listAccounts names the whole list, and the first prefix accounts of it, if it has as many. The hash is over each address
// as 32 bytes, its balance in decimal, and a line feed.
func listAccounts(accounts iter.Seq2[codec.Address, codec.Balance], prefix uint64) (all, first accountsList) {
	h := sha256.New()
	if accounts != nil {
		buf := make([]byte, 0, 64<<10)
		flush := func() {
			_, _ = h.Write(buf) // never fails
			buf = buf[:0]
		}
		for address, balance := range accounts {
			if len(buf) > cap(buf)-128 {
				flush()
			}
			if all.count == prefix {
				flush()
				first = accountsList{prefix, sumSoFar(h)}
			}
			buf = append(buf, address[:]...)
			if amount, ok := balance.Amount(); ok {
				buf = strconv.AppendUint(buf, amount, 10)
			} else {
				buf = append(buf, balance.String()...)
			}
			buf = append(buf, '\n')
			all.count++
		}
		flush()
	}
	copy(all.hash[:], h.Sum(nil))
	if all.count == prefix {
		first = all
	}
	return all, first
}

// sumSoFar is the hash of what was written until now.
func sumSoFar(h interface{ Sum([]byte) []byte }) (sum [sha256.Size]byte) {
	h.Sum(sum[:0])
	return sum
}

// checkAccounts refuses initial accounts that are not those in the journal, which has been told of the list known.
func checkAccounts(folder string, accounts iter.Seq2[codec.Address, codec.Balance], known accountsList) error {
	all, first := listAccounts(accounts, known.count)
	if all == known {
		return nil
	}
	reason := fmt.Sprintf("%s has other %s: %v there, and %v here", folder, fieldAccounts, known, all)
	if first == known {
		return &Refusal{
			fmt.Sprintf("%s has %d initial accounts, and %d were added to the file since", folder, known.count,
				all.count-known.count),
			"add them with 'server ... add-accounts', while the authority is stopped, then start it again",
		}
	}
	return &Refusal{reason, hintsByField[fieldAccounts]}
}
