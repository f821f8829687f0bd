package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Audit examines all journals below a directory, and with o.Verify compares them with one another.
func Audit(ctx context.Context, path string, o Options) (*Report, error) {
	folders, err := Find(path)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	for _, folder := range folders {
		j, err := Examine(ctx, folder, o)
		if err != nil {
			return nil, err
		}
		r.Journals = append(r.Journals, j)
	}
	if o.Verify {
		r.pair()
	}
	return r, nil
}

// pair compares what shards sent with what others have, over all journals of each authority. What a process that runs
// has in its journal may be older than what another one has, as it was read earlier, so only journals at rest are
// judged.
func (r *Report) pair() {
	type key struct {
		authority string
		from, to  int
	}
	pairs := make(map[key]*Pair)
	known := make(map[key]int) // 1: the sender was seen, 2: the receiver
	moving := make(map[key]bool)
	for _, j := range r.Journals {
		if j.Books == nil {
			continue
		}
		for _, l := range j.Books.lanes {
			k := key{j.Authority, l.from, l.to}
			p := pairs[k]
			if p == nil {
				p = &Pair{Authority: j.Authority, From: l.from, To: l.to}
				pairs[k] = p
			}
			if slices.Contains(j.Shards, l.from) {
				p.Issued, p.Acknowledged = l.issued, l.acknowledged
				known[k] |= 1
			}
			if slices.Contains(j.Shards, l.to) {
				p.Arrived = l.cursor
				known[k] |= 2
			}
			moving[k] = moving[k] || j.Process != 0 || j.End == EndDamage
		}
	}
	for k, p := range pairs {
		if known[k] != 3 || p.Issued == 0 && p.Arrived == 0 {
			continue
		}
		r.Pairs = append(r.Pairs, p)
		if moving[k] {
			continue
		}
		if p.Arrived > p.Issued {
			r.Problems = append(r.Problems, Problem{Shard: p.From, Text: fmt.Sprintf(
				"authority %s: shard %d has %d credits of shard %d, which sent %d: was the sender put back to an older state?",
				p.Authority, p.To, p.Arrived, p.From, p.Issued)})
		}
		if p.Acknowledged > p.Arrived {
			r.Problems = append(r.Problems, Problem{Shard: p.To, Text: fmt.Sprintf(
				"authority %s: shard %d has %d credits of shard %d, of which %d were acknowledged: was the receiver put back to "+
					"an older state?", p.Authority, p.To, p.Arrived, p.From, p.Acknowledged)})
		}
	}
	slices.SortFunc(r.Pairs, func(a, b *Pair) int {
		return cmp.Or(cmp.Compare(a.Authority, b.Authority), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	slices.SortFunc(r.Problems, func(a, b Problem) int { return cmp.Compare(a.Text, b.Text) })
}
