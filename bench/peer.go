package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
	"fastpay/perf"
)

// PeerPlaceholders are what a peer's command may name: files, a folder for its data that is not there yet, and numbers.
const PeerPlaceholders = "{server} {committee} {accounts} {data} {host} {port} {shards} {shard}"

// Limits of a peer's processes.
const (
	peerStart = 60 * time.Second // until all ports answer
	peerStop  = 3 * time.Second  // from SIGTERM to SIGKILL
	peerTail  = 4 << 10          // bytes of its output that an error shows
	peerPoll  = 20 * time.Millisecond
)

// peer is another server that speaks the wire protocol, as one process or one a shard.
type peer struct {
	spec authoritySpec
	serverFiles
	port    int
	took    time.Duration
	procs   []*peerProcess
	keeper  *keeper // of the processes and dir, should this process be killed
	stopped bool
}

type peerProcess struct {
	cmd  *exec.Cmd
	tail *lastOutput
	done chan struct{} // closed when it has ended
	err  error         // then: how
}

// splitCommand splits words at spaces; quotes of either kind keep them together.
func splitCommand(text string) (words []string, err error) {
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	if quote != 0 || len(words) == 0 {
		return nil, fmt.Errorf("bench: peer %q: expected a command, as in 'server --server {server} run --initial-accounts {accounts} "+
			"--committee {committee}'", text)
	}
	return words, nil
}

// startPeer writes the files that command names, runs it, and returns once every port answers.
func startPeer(command string, spec authoritySpec, accounts []codec.Address) (*peer, error) {
	words, err := splitCommand(command)
	if err != nil {
		return nil, err
	}
	p := &peer{spec: spec, port: spec.Port}
	if p.dir, err = os.MkdirTemp("", "fastpay-peer-"); err != nil {
		return nil, fmt.Errorf("bench: peer: %w", err)
	}
	if p.keeper, err = startKeeper(p.dir); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: peer: %w", err), os.RemoveAll(p.dir))
	}
	if p.port == 0 {
		p.port, err = freePorts(spec.Host, spec.NumShards)
	}
	if err == nil {
		err = p.writeFiles(accounts)
	}
	began := time.Now()
	processes := 1
	if strings.Contains(command, "{shard}") {
		processes = spec.NumShards
	}
	for shard := 0; shard < processes && err == nil; shard++ {
		err = p.startProcess(words, shard)
	}
	if err == nil {
		err = p.await(&accounts[0])
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.took = time.Since(began)
	return p, nil
}

// writeFiles writes the authority's server file, the committee and the initial accounts.
func (p *peer) writeFiles(accounts []codec.Address) error {
	c, err := p.spec.committeeAt(p.port)
	if err != nil {
		return err
	}
	members := make([]committee.Member, c.Len())
	for i := range members {
		members[i] = *c.Member(i)
	}
	server := &committee.Server{Authority: members[0], Key: crypto.NewPrivateKey(&p.spec.Seed)}
	return p.write(server, members, func(yield func(*codec.Address) bool) {
		for i := range accounts {
			if !yield(&accounts[i]) {
				return
			}
		}
	}, p.spec.Balance)
}

func (p *peer) startProcess(words []string, shard int) error {
	fill := strings.NewReplacer("{server}", p.file("server.json"), "{committee}", p.file("committee.json"),
		"{accounts}", p.file("accounts.txt"), "{data}", p.file("data"), "{host}", p.spec.Host, "{port}", strconv.Itoa(p.port),
		"{shards}", strconv.Itoa(p.spec.NumShards), "{shard}", strconv.Itoa(shard))
	filled := make([]string, len(words))
	for i, word := range words {
		filled[i] = fill.Replace(word)
	}
	proc := &peerProcess{cmd: exec.Command(filled[0], filled[1:]...), tail: new(lastOutput), done: make(chan struct{})}
	proc.cmd.Stdout, proc.cmd.Stderr = proc.tail, proc.tail
	proc.cmd.WaitDelay = peerStop // what it started may hold its output open
	if err := startProcess(proc.cmd); err != nil {
		return fmt.Errorf("bench: peer: %w", err)
	}
	p.procs = append(p.procs, proc)
	go func() {
		proc.err = proc.cmd.Wait()
		close(proc.done)
	}()
	if err := p.keeper.watch(proc.cmd.Process.Pid); err != nil {
		return fmt.Errorf("bench: peer: %w", err)
	}
	return nil
}

// ended tells that a process of the peer ended by itself, nil while all run.
func (p *peer) ended() error {
	for _, proc := range p.procs {
		select {
		case <-proc.done:
			return fmt.Errorf("bench: the peer ended (%v): %s", proc.cmd.ProcessState, proc.tail)
		default:
		}
	}
	return nil
}

// await waits until each port answers: over TCP accepts, over UDP replies to a question, whatever it says.
func (p *peer) await(account *codec.Address) error {
	deadline := time.Now().Add(peerStart)
	for port := p.port; port < p.port+p.spec.NumShards; {
		if err := p.ended(); err != nil {
			return err
		}
		if p.answers(port, account) {
			port++
			continue
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("bench: the peer does not answer on port %d of %s after %v: %s", port, p.spec.Host, peerStart, p.procs[0].tail)
		}
		time.Sleep(peerPoll)
	}
	return nil
}

func (p *peer) answers(port int, account *codec.Address) bool {
	network := "tcp"
	if p.spec.Protocol == committee.UDP {
		network = "udp"
	}
	c, err := net.DialTimeout(network, net.JoinHostPort(p.spec.Host, strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	if network == "tcp" {
		return true
	}
	_ = c.SetDeadline(time.Now().Add(10 * peerPoll))
	if _, err := c.Write(codec.AppendInfoRequest(nil, &codec.InfoRequest{Account: *account})); err != nil {
		return false
	}
	_, err = c.Read(make([]byte, codec.DefaultMaxMessage))
	return err == nil
}

func (p *peer) basePort() int { return p.port }

func (p *peer) startedIn() time.Duration { return p.took }

func (p *peer) begin() (snapshot, error) { return p.mark() }

func (p *peer) end() (snapshot, error) { return p.mark() }

// mark reads what the kernel counts about the peer's processes.
func (p *peer) mark() (snapshot, error) {
	s := snapshot{At: time.Since(processStart), Workers: p.spec.Workers}
	for _, proc := range p.procs {
		s = s.plus(otherProcess(proc.cmd.Process.Pid))
	}
	return s, p.ended()
}

// stop ends the processes, and all that they started.
func (p *peer) stop() error {
	if p.stopped {
		return nil
	}
	p.stopped = true
	for _, proc := range p.procs {
		_ = syscall.Kill(-proc.cmd.Process.Pid, syscall.SIGTERM)
	}
	kill := time.NewTimer(peerStop)
	defer kill.Stop()
	for _, proc := range p.procs {
		select {
		case <-proc.done:
		case <-kill.C:
			kill.Reset(0)
		}
		_ = syscall.Kill(-proc.cmd.Process.Pid, syscall.SIGKILL)
		<-proc.done
	}
	if err := p.keeper.stop(); err != nil {
		return fmt.Errorf("bench: peer: %w", err)
	}
	return nil
}

// processStart is when this process began, about: only differences count.
var processStart = time.Now()

// ticks is how many of the kernel's units of CPU time a second has: USER_HZ, the same on all machines that Go runs on.
const ticks = 100

// otherProcess reads CPU time, time waiting for a CPU, and peak memory of a process; what can't be read is 0.
func otherProcess(pid int) (s snapshot) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if text, err := os.ReadFile(filepath.Join(dir, "stat")); err == nil {
		// After the name, which is in parentheses and may have any character: state, ..., utime (12th), stime (13th).
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 12 {
			for _, field := range fields[11:13] {
				n, _ := strconv.ParseInt(field, 10, 64)
				s.CPU += time.Duration(n) * time.Second / ticks
			}
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "status")); err == nil {
		if _, rest, ok := strings.Cut(string(text), "VmHWM:"); ok {
			fields := strings.Fields(rest)
			kib, _ := strconv.ParseInt(fields[0], 10, 64)
			s.PeakRSS = kib << 10
		}
	}
	s.QueueWait = perf.RunQueueWaitOf(pid)
	return s
}

// unknownPlaceholder is one that the command names and that does not exist, "" when there is none.
func unknownPlaceholder(command string) string {
	known := strings.Fields(PeerPlaceholders)
	for rest := command; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return ""
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			return ""
		}
		if !slices.Contains(known, "{"+name+"}") {
			return "{" + name + "}"
		}
		rest = tail
	}
}
