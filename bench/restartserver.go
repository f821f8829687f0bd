package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/node/committee"
)

// restartLimit bounds one start.
const restartLimit = 5 * time.Minute

// restartServer is an authority's process that is run more than once.
type restartServer struct {
	serverFiles
	port   int
	probes []codec.Address // an account of each shard
}

func newRestartServer(dir string, o RestartOptions) (*restartServer, error) {
	s := &restartServer{serverFiles: serverFiles{dir}, probes: make([]codec.Address, o.NumShards)}
	var err error
	if s.port, err = freePorts(DefaultOptions().Host, o.NumShards); err != nil {
		return nil, err
	}
	var seed [crypto.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	key := crypto.NewPrivateKey(&seed)
	member := committee.Member{Name: key.Public(), Weight: 1, Protocol: committee.TCP, Host: DefaultOptions().Host, BasePort: s.port,
		NumShards: o.NumShards}
	server := &committee.Server{Authority: member, Key: key}
	if err := s.write(server, []committee.Member{member}, s.accounts(o.Accounts), 1); err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	return s, nil
}

// accounts makes so many addresses, and keeps one of each shard.
func (s *restartServer) accounts(n int) iter.Seq[*codec.Address] {
	return func(yield func(*codec.Address) bool) {
		source := mathrand.NewChaCha8([32]byte{'r', 'e', 's', 't', 'a', 'r', 't'})
		var address codec.Address
		for range n {
			_, _ = source.Read(address[:]) // never fails
			s.probes[committee.ShardOf(&address, len(s.probes))] = address
			if !yield(&address) {
				return
			}
		}
	}
}

// run starts the server, and stops it once every port has answered.
func (s *restartServer) run(ctx context.Context) (seconds float64, peakRSS int64, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, 0, fmt.Errorf("find this program to start it again: %w", err)
	}
	cmd := exec.Command(exe, "server", "--server", s.file("server.json"), "run", "--host", DefaultOptions().Host,
		"--initial-accounts", s.file("accounts.txt"), "--committee", s.file("committee.json"), "--data-dir", s.file("data"),
		"--durability", string(node.DurabilitySync))
	cmd.Args[0] = "fastpay"
	tail := new(lastOutput)
	cmd.Stdout, cmd.Stderr = tail, tail
	began := time.Now()
	if err := startProcess(cmd); err != nil {
		return 0, 0, fmt.Errorf("bench: restart: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop := func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(stopTimeout+orphanGrace, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		return <-ended
	}
	ctx, cancel := context.WithTimeout(ctx, restartLimit)
	defer cancel()
	for shard := 0; shard < len(s.probes); {
		if replies(s.port+shard, &s.probes[shard]) {
			shard++
			continue
		}
		select {
		case err := <-ended:
			return 0, 0, fmt.Errorf("bench: restart: the server ended (%w): %s", err, tail)
		case <-ctx.Done():
			return 0, 0, errors.Join(ctx.Err(), stop())
		case <-time.After(restartPoll):
		}
	}
	seconds = time.Since(began).Seconds()
	peakRSS = otherProcess(cmd.Process.Pid).PeakRSS
	if err := stop(); err != nil {
		return 0, 0, fmt.Errorf("bench: restart: the server ended with %w: %s", err, tail)
	}
	return seconds, peakRSS, nil
}

// restartPoll is how often a port is tried.
const restartPoll = 2 * time.Millisecond

// replies reports whether a shard answers a question about an account, whatever it says.
func replies(port int, account *codec.Address) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort(DefaultOptions().Host, strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write(appendProbe(nil, account)); err != nil {
		return false
	}
	answer, err := readFrame(bufio.NewReader(c), nil)
	var m codec.Message
	return err == nil && m.Decode(answer)
}
