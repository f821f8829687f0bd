package node

import (
	"strconv"
	"strings"
)

// formatShards writes a sorted set of shards in the form of --shard: "0,2-3".
func formatShards(shards []int) string {
	var b strings.Builder
	for i := 0; i < len(shards); {
		last := i
		for last+1 < len(shards) && shards[last+1] == shards[last]+1 {
			last++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(shards[i]))
		if last > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(shards[last]))
		}
		i = last + 1
	}
	return b.String()
}

// parseShardSet is the inverse of formatShards, for sets of shards below total.
func parseShardSet(s string, total int) (shards []int, ok bool) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		behind := len(shards) > 0 && int(from) <= shards[len(shards)-1]
		if err1 != nil || err2 != nil || int(to) >= total || behind {
			return nil, false
		}
		for i := from; i <= to; i++ {
			shards = append(shards, int(i))
		}
	}
	return shards, formatShards(shards) == s && s != ""
}
