package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hosts are network namespaces, one for each shard and one for the switch between them, from where the test pays. Each
// host has a cable to the switch.
type hosts struct {
	t    *testing.T
	name string // of the switch; a host's has a number behind it
}

// newHosts makes them, or skips the test where that is not permitted.
func newHosts(t *testing.T, n int) *hosts {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need the ip command (package iproute2)")
	}
	h := &hosts{t, fmt.Sprintf("fastpay-%d", os.Getpid())}
	if out, err := exec.Command("ip", "netns", "add", h.name).CombinedOutput(); err != nil {
		t.Skipf("network namespaces are not permitted here: %s", out)
	}
	t.Cleanup(func() {
		for i := range n {
			_ = exec.Command("ip", "netns", "del", h.host(i)).Run() // not there if it was not made
		}
		_ = exec.Command("ip", "netns", "del", h.name).Run()
	})
	if out, err := exec.Command("ip", "-n", h.name, "link", "add", "switch", "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("bridges are not permitted here: %s", out)
	}
	h.ip("-n", h.name, "addr", "add", h.address(n)+"/24", "dev", "switch")
	h.ip("-n", h.name, "link", "set", "switch", "up")
	for i := range n {
		h.ip("netns", "add", h.host(i))
		h.ip("-n", h.host(i), "link", "set", "lo", "up")
		h.ip("link", "add", h.cable(i), "netns", h.name, "type", "veth", "peer", "name", "eth0", "netns", h.host(i))
		h.ip("-n", h.host(i), "addr", "add", h.address(i)+"/24", "dev", "eth0")
		h.ip("-n", h.host(i), "link", "set", "eth0", "up")
		h.ip("-n", h.name, "link", "set", h.cable(i), "master", "switch", "up")
	}
	return h
}

func (h *hosts) ip(args ...string) {
	h.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		h.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (h *hosts) host(i int) string    { return fmt.Sprintf("%s-%d", h.name, i) }
func (h *hosts) cable(i int) string   { return fmt.Sprintf("cable%d", i) }
func (h *hosts) address(i int) string { return fmt.Sprintf("10.77.0.%d", i+1) }

// cut takes a host's cable out, or puts it back.
func (h *hosts) cut(i int, out bool) {
	state := "up"
	if out {
		state = "down"
	}
	h.ip("-n", h.name, "link", "set", h.cable(i), state)
}

// shard is where a shard runs.
func (h *hosts) shard(i int) shardHost {
	return shardHost{h.address(i), []string{"ip", "netns", "exec", h.host(i)}, h.dial}
}

// dial connects from the switch. A socket belongs to the namespace of the thread that makes it.
func (h *hosts) dial(address string) (net.Conn, error) {
	type result struct {
		c   net.Conn
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		space, err := os.Open("/var/run/netns/" + h.name)
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer space.Close()
		if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, err}
			return
		}
		c, err := net.DialTimeout("tcp4", address, shardReadTimeout)
		done <- result{c, err}
	}()
	r := <-done
	return r.c, r.err
}

// TestShardsOnFourHosts runs an authority on four hosts, each in a network namespace of its own, and cuts the cables under
// load: one, two at a time, all, for moments and for longer than a link's patience.
func TestShardsOnFourHosts(t *testing.T) {
	h := newHosts(t, worldShards)
	w := newShardWorld(t, h.shard)
	w.startAll()
	l := w.pay(allShards, allShards)
	time.Sleep(300 * time.Millisecond)
	cuts := []struct {
		hosts []int
		time.Duration
	}{{[]int{0}, 100 * time.Millisecond}, {[]int{1, 2}, 300 * time.Millisecond}, {[]int{3}, 50 * time.Millisecond},
		{allShards, 200 * time.Millisecond}, {[]int{2}, under(time.Second, 20*time.Second)}}
	if long {
		cuts = slices.Repeat(cuts, 5)
	}
	for _, c := range cuts {
		t.Logf("%v cut for %v after %d payments", c.hosts, c.Duration, l.payments())
		for _, host := range c.hosts {
			h.cut(host, true)
		}
		time.Sleep(c.Duration)
		for _, host := range c.hosts {
			h.cut(host, false)
		}
		mended := w.awake.now()
		if !l.everyShardPays(25) {
			t.Fatalf("not all shards settle payments again after %v", worldPatience)
		}
		t.Logf("all shards settle payments %v after that", (w.awake.now() - mended).Round(time.Millisecond))
	}
	l.finish()
	l.conserved()
	l.audited()
}
