package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// serverFiles are what 'server run' reads, and where it is to listen.
type serverFiles struct {
	dir    string
	port   int
	probes []codec.Address // an account of each shard
}

func (s *serverFiles) file(name string) string { return filepath.Join(s.dir, name) }

func newServerFiles(dir string, o RestartOptions) (*serverFiles, error) {
	s := &serverFiles{dir: dir, probes: make([]codec.Address, o.NumShards)}
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
	server, err := committee.AppendServer(nil, &committee.Server{Authority: member, Key: key})
	if err != nil {
		return nil, err
	}
	members, err := member.MarshalJSON()
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.WriteFile(s.file("server.json"), server, 0o600), os.WriteFile(s.file("committee.json"), append(members, '\n'), 0o600))
	if err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	return s, s.writeAccounts(o.Accounts)
}

// writeAccounts writes the initial accounts file.
func (s *serverFiles) writeAccounts(n int) (err error) {
	f, err := os.Create(s.file("accounts.txt"))
	if err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	source := mathrand.NewChaCha8([32]byte{'r', 'e', 's', 't', 'a', 'r', 't'})
	var address codec.Address
	var text []byte
	for range n {
		_, _ = source.Read(address[:]) // never fails
		s.probes[committee.ShardOf(&address, len(s.probes))] = address
		text = append(codec.AppendAddress(text[:0], &address), ":1\n"...)
		_, _ = out.Write(text) // Flush has its error
	}
	if err = errors.Join(out.Flush(), f.Close()); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	return nil
}

// run starts the server, and stops it once every port has answered.
func (s *serverFiles) run(ctx context.Context) (seconds float64, peakRSS int64, err error) {
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
