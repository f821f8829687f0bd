package main

import (
	"strings"

	"fastpay/node/committee"
)

// parseShardHosts reads the values of --shard-host: each is a list of shards as in --shard, and the host that they are on,
// "1=10.0.0.2" or "2,4-7=db.example". A shard may be given once. An authority has total shards.
func parseShardHosts(values []string, total int) (map[int]string, error) {
	hosts := make(map[int]string)
	for _, value := range values {
		list, host, ok := strings.Cut(value, "=")
		if !ok {
			return nil, usagef("--shard-host %q: expected shards and a host, such as 1=10.0.0.2", value)
		}
		shards, err := parseShards([]string{list}, total)
		if err != nil {
			return nil, usagef("--shard-host %q: expected shards 0 to %d before the host, such as 1=10.0.0.2 or 2-3=10.0.0.4", value,
				total-1)
		}
		if committee.CheckHost(host) != nil || strings.Contains(host, "/") {
			return nil, usagef("--shard-host %q: %q is neither a name nor an address", value, host)
		}
		for _, s := range shards {
			if other, twice := hosts[s]; twice {
				return nil, usagef("--shard-host: shard %d is on %s and on %s", s, other, host)
			}
			hosts[s] = host
		}
	}
	return hosts, nil
}
