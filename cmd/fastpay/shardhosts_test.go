package main

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestParseShardHosts(t *testing.T) {
	good := func(want map[int]string, values ...string) {
		t.Helper()
		got, err := parseShardHosts(values, 6)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: %v, %v, expected %v", values, got, err, want)
		}
	}
	good(map[int]string{})
	good(map[int]string{1: "10.0.0.2"}, "1=10.0.0.2")
	good(map[int]string{0: "a", 2: "b", 4: "b", 5: "b"}, "0=a", "2,4-5=b")
	good(map[int]string{3: "::1"}, "3=::1")
	bad := func(want string, values ...string) {
		t.Helper()
		_, err := parseShardHosts(values, 6)
		if usage := (*usageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected a mistake with %q", values, err, want)
		}
	}
	bad("such as 1=10.0.0.2", "1")
	bad("neither a name nor an address", "1=")
	bad("neither a name nor an address", "1=a b")
	bad("neither a name nor an address", "1=http://a")
	bad("shards 0 to 5", "6=a")
	bad("shards 0 to 5", "=a")
	bad("shards 0 to 5", "x=a")
	bad("shard 2 is on a and on b", "0-2=a", "2=b")
}
