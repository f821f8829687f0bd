package node

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"fastpay/codec"
	"fastpay/perf"
)

// claimShards takes the name of each (key, shard) on this machine for the life of the process, as an abstract unix
// socket: two processes with one key would sign conflicting orders, whatever ports they use.
func claimShards(name *codec.Address, shards []int) (claims []net.Listener, err error) {
	for _, s := range shards {
		l, err := net.Listen("unix", fmt.Sprintf("@fastpay/%s/%d", hex.EncodeToString(name[:]), s))
		if err != nil {
			for _, l := range claims {
				_ = l.Close()
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, fmt.Errorf("node: shard %d of this authority already runs on this machine", s)
			}
			return nil, fmt.Errorf("node: claim shard %d: %w", s, err)
		}
		claims = append(claims, l)
	}
	return claims, nil
}

// ProbePort binds a port for a moment without SO_REUSEPORT, TCP and UDP: the event loop binds with it and would share
// the port with another process, each getting a part of the traffic.
func ProbePort(host string, port int) error {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	network := func(proto string) string {
		if host == "" {
			return proto + "4"
		}
		return proto
	}
	l, err := net.Listen(network("tcp"), address)
	if err != nil {
		return portError("TCP", port, err)
	}
	defer l.Close()
	p, err := net.ListenPacket(network("udp"), address)
	if err != nil {
		return portError("UDP", port, err)
	}
	return p.Close()
}

// siblingAddress is where the process is that runs a shard, as far as this one is told.
func (c *config) siblingAddress(shard int) string {
	host := c.Member.ShardHost(shard)
	if other, ok := c.ShardHosts[shard]; ok {
		host = other
	}
	return net.JoinHostPort(host, strconv.Itoa(c.Member.BasePort+shard))
}

func portError(proto string, port int, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("node: %s port %d is already in use (is another server running?)", proto, port)
	}
	return fmt.Errorf("node: %s port %d: %w", proto, port, err)
}

// ownDescriptors is how many descriptors the node itself needs, apart from connections of clients: for each shard two
// listeners and the claim, for each worker the event loop's two and one for a connection that is accepted before it is
// refused, and the links.
func (n *Node) ownDescriptors() int64 {
	shards, workers := int64(len(n.shards)), int64(n.config.workers)
	if n.allShards {
		return 3*shards + 3*workers
	}
	links := 2 * shards * (int64(n.Member.NumShards) - shards)
	return 3*shards + 3*workers + links + 2*maxHandshakes
}

// connectionLimit raises the limit of open files as far as allowed, and returns how many connections fit below it beside
// the node's own descriptors.
func connectionLimit(own int64) (int64, error) {
	files, err := perf.RaiseFileLimit()
	if err != nil {
		return 0, err
	}
	own += reservedDescriptors
	connections := int64(min(files, uint64(maxConnections+own))) - own
	if connections < 1 {
		return 0, fmt.Errorf("node: the limit of %d open files is too low (ulimit -n)", files)
	}
	return connections, nil
}
