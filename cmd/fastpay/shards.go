package main

import (
	"slices"
	"strconv"
	"strings"
)

// parseShards reads the values of --shard: each is a comma-separated list of numbers and ranges, "0,2-3". The answer is
// sorted, and each shard is in it once. Without a value it is nil, which means all. An authority has total shards.
func parseShards(values []string, total int) ([]int, error) {
	var shards []int
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			first, last, isRange := strings.Cut(part, "-")
			if !isRange {
				last = first
			}
			from, err1 := strconv.ParseUint(first, 10, 16)
			to, err2 := strconv.ParseUint(last, 10, 16)
			if err1 != nil || err2 != nil || from > to {
				return nil, usagef("--shard %q: expected numbers and ranges such as 0,2-3", value)
			}
			if int(to) >= total {
				return nil, usagef("--shard %q: the authority's shards are 0 to %d", value, total-1)
			}
			for s := from; s <= to; s++ {
				shards = append(shards, int(s))
			}
		}
	}
	slices.Sort(shards)
	return slices.Compact(shards), nil
}
