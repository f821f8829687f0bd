package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// shardWorld is one authority of a committee of four, each of its shards in a process of its own. The test holds the keys
// of the others and of all accounts, and so makes certificates by itself: it pays, and knows what every account must have.
type shardWorld struct {
	t         *testing.T
	dir       string
	authority committee.Member
	keys      []*crypto.PrivateKey
	accounts  [][]*crypto.PrivateKey // by shard
	host      func(shard int) shardHost
	awake     *stopwatch

	mu        sync.Mutex
	processes map[int]*shardProcess
	next      [worldShards][]uint64 // sequence numbers of accounts
}

// shardHost is where a shard runs.
type shardHost struct {
	address string
	command []string                               // what comes before the server's own command line
	dial    func(address string) (net.Conn, error) // for the test to reach it
}

// shardProcess is a server with one shard.
type shardProcess struct {
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{}
	err   error
}

const (
	worldShards      = 4
	accountsPerShard = 16
	worldBalance     = 1_000_000
	worldPatience    = 30 * time.Second
)

// newShardWorld writes the files of the authority. Shards run on this machine, unless host says where.
func newShardWorld(t *testing.T, host func(shard int) shardHost) *shardWorld {
	t.Helper()
	w := &shardWorld{t: t, dir: t.TempDir(), host: host, awake: newStopwatch(t), processes: make(map[int]*shardProcess)}
	if host == nil {
		w.host = func(int) shardHost {
			return shardHost{"127.0.0.1", nil, func(address string) (net.Conn, error) { return net.Dial("tcp", address) }}
		}
	}
	w.makeAccounts()
	base := 20_000
	if host == nil {
		base = freePortsInARow(t, worldShards)
	}
	hosts := make([]string, worldShards)
	for s := range hosts {
		hosts[s] = w.host(s).address
	}
	var lines []byte
	for i := range 4 {
		key := testKey('a', uint64(os.Getpid())<<8+uint64(i))
		w.keys = append(w.keys, key)
		m := committee.Member{Name: key.Public(), Weight: 1, Protocol: committee.TCP, Host: hosts[0], Hosts: hosts, BasePort: base,
			NumShards: worldShards}
		if i > 0 { // nobody runs these
			m.Host, m.Hosts = fmt.Sprintf("authority-%d.invalid", i), nil
		} else {
			w.authority = m
		}
		lines = append(lines, memberLine(t, m)...)
	}
	writeServer(t, filepath.Join(w.dir, "server.json"), w.authority, w.keys[0])
	w.write("committee.json", lines)
	t.Cleanup(w.end)
	return w
}

func (w *shardWorld) write(name string, text []byte) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.dir, name), text)
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// memberLine is an authority's line of a committee's file.
func memberLine(t *testing.T, m committee.Member) []byte {
	t.Helper()
	line, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return append(line, '\n')
}

// writeServer writes an authority's server file.
func writeServer(t *testing.T, path string, m committee.Member, key *crypto.PrivateKey) {
	t.Helper()
	text, err := committee.AppendServer(nil, &committee.Server{Authority: m, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, text)
}

func testKey(kind byte, i uint64) *crypto.PrivateKey {
	seed := [crypto.SeedSize]byte{kind}
	binary.LittleEndian.PutUint64(seed[1:], i)
	return crypto.NewPrivateKey(&seed)
}

// makeAccounts finds as many accounts for each shard, and writes them down.
func (w *shardWorld) makeAccounts() {
	w.accounts = make([][]*crypto.PrivateKey, worldShards)
	var lines []byte
	for i, missing := uint64(0), worldShards*accountsPerShard; missing > 0; i++ {
		key := testKey('u', i)
		name := key.Public()
		s := committee.ShardOf(&name, worldShards)
		if len(w.accounts[s]) < accountsPerShard {
			w.accounts[s] = append(w.accounts[s], key)
			lines = fmt.Appendf(lines, "%s:%d\n", codec.FormatAddress(&name), worldBalance)
			missing--
		}
	}
	w.write("accounts.txt", lines)
}

func freePortsInARow(t *testing.T, n int) int {
	t.Helper()
	for range 1000 {
		first := int(nextPort.Add(int64(n))) - n
		if base := lowestPort + first%(highestPort-lowestPort-n); allFree(base, n) {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

// start runs a shard, and returns once it accepts.
func (w *shardWorld) start(shard int, flags ...string) *shardProcess {
	w.t.Helper()
	p := w.launch(shard, flags...)
	address := w.address(shard)
	listens := w.patiently(func() bool {
		select {
		case <-p.ended:
			w.t.Fatalf("shard %d ended: %v\n%s", shard, p.err, p.text())
		default:
		}
		c, err := w.host(shard).dial(address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	if !listens {
		w.t.Fatalf("shard %d does not listen", shard)
	}
	return p
}

// launch runs a shard without waiting for anything.
func (w *shardWorld) launch(shard int, flags ...string) *shardProcess {
	w.t.Helper()
	host := w.host(shard)
	args := append(append([]string(nil), host.command...), "server", "--server", "server.json", "run", "--shard", strconv.Itoa(shard),
		"--committee", "committee.json", "--initial-accounts", "accounts.txt", "--data-dir", "data", "--durability", "sync")
	args = append(args, flags...)
	p := &shardProcess{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	var err error
	if p.log, err = os.CreateTemp(w.dir, "log"); err != nil {
		w.t.Fatal(err)
	}
	p.cmd.Dir, p.cmd.Stderr = w.dir, p.log
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	w.mu.Lock()
	w.processes[shard] = p
	w.mu.Unlock()
	return p
}

// text is what the process has logged so far.
func (p *shardProcess) text() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (w *shardWorld) startAll() {
	w.t.Helper()
	for s := range worldShards {
		w.start(s)
	}
}

func (w *shardWorld) process(shard int) *shardProcess {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[shard]
}

// signal sends a signal to a shard, and waits for its end if that is what the signal asks for.
func (w *shardWorld) signal(shard int, s syscall.Signal) *shardProcess {
	w.t.Helper()
	p := w.process(shard)
	if err := p.cmd.Process.Signal(s); err != nil {
		w.t.Fatalf("shard %d: %v\n%s", shard, err, p.text())
	}
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		w.await(p)
	}
	return p
}

// await waits for a process to end by itself.
func (w *shardWorld) await(p *shardProcess) {
	w.t.Helper()
	ended := w.patiently(func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	if !ended {
		w.t.Fatal("a process does not end")
	}
}

func (w *shardWorld) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s, p := range w.processes {
		_ = p.cmd.Process.Kill() // an error means that it has ended
		<-p.ended
		_ = p.log.Close()
		if w.t.Failed() {
			w.t.Logf("log of shard %d:\n%s", s, p.text())
		}
	}
}

func (w *shardWorld) address(shard int) string {
	return net.JoinHostPort(w.host(shard).address, strconv.Itoa(w.authority.BasePort+shard))
}

// folder is where a shard has its journal.
func (w *shardWorld) folder(shard int) string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "data", "*", fmt.Sprintf("shards-%d", shard)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("folders of shard %d: %v, %v", shard, found, err)
	}
	return found[0]
}

func (w *shardWorld) patiently(condition func() bool) bool { return w.awake.patiently(condition) }

// stopwatch says how long this process has run. Time in which it was stopped, with all the others, does not count: nothing
// that is waited for can happen then.
type stopwatch struct{ ran atomic.Int64 }

func newStopwatch(t *testing.T) *stopwatch {
	const tick = 50 * time.Millisecond
	s := new(stopwatch)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for last := time.Now(); ; {
			select {
			case <-end:
				return
			case <-time.After(tick):
			}
			now := time.Now()
			s.ran.Add(int64(min(now.Sub(last), 4*tick))) // more where the machine is busy
			last = now
		}
	}()
	t.Cleanup(func() { close(end); <-ended })
	return s
}

func (s *stopwatch) now() time.Duration { return time.Duration(s.ran.Load()) }

// patiently waits for a condition, and says whether it came true.
func (s *stopwatch) patiently(condition func() bool) bool {
	for end := s.now() + worldPatience; s.now() < end; time.Sleep(5 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return condition()
}
