package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// committeeWorld is a whole committee, each authority a server's process with its own journal.
type committeeWorld struct {
	t         *testing.T
	dir       string
	committee *committee.Committee
	accounts  []*crypto.PrivateKey
	initial   []int64
	awake     *stopwatch
	members   []*exec.Cmd // nil while down
	log       *os.File
}

const (
	worldMembers      = 4
	worldMemberShards = 2
)

func newCommitteeWorld(t *testing.T) *committeeWorld {
	return &committeeWorld{t: t, dir: t.TempDir(), awake: newStopwatch(t), members: make([]*exec.Cmd, worldMembers)}
}

// found writes the files of a committee with accounts of these balances, and starts it.
func (w *committeeWorld) found(initial []int64) {
	w.t.Helper()
	w.initial = initial
	salt := uint64(os.Getpid())<<32 | uint64(nextPort.Load())<<8 // of a key there is one authority on a machine
	var accounts, lines []byte
	for i, balance := range initial {
		key := testKey('h', salt+uint64(i))
		name := key.Public()
		w.accounts = append(w.accounts, key)
		accounts = fmt.Appendf(accounts, "%s:%d\n", codec.FormatAddress(&name), balance)
	}
	var members []committee.Member
	for i := range worldMembers {
		key := testKey('c', salt+uint64(i))
		m := committee.Member{Name: key.Public(), Weight: 1, Protocol: committee.TCP, Host: "127.0.0.1",
			BasePort: freePortsInARow(w.t, worldMemberShards), NumShards: worldMemberShards}
		members = append(members, m)
		lines = append(lines, memberLine(w.t, m)...)
		writeServer(w.t, filepath.Join(w.dir, "server"+strconv.Itoa(i)+".json"), m, key)
	}
	writeFile(w.t, filepath.Join(w.dir, "committee.json"), lines)
	writeFile(w.t, filepath.Join(w.dir, "accounts.txt"), accounts)
	var err error
	if w.committee, err = committee.New(members); err == nil {
		w.log, err = os.Create(filepath.Join(w.dir, "log"))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range worldMembers {
		w.start(i)
	}
}

// start runs a member, and returns once all its ports accept.
func (w *committeeWorld) start(member int) {
	n := strconv.Itoa(member)
	cmd := exec.Command("server", "--server", "server"+n+".json", "run", "--committee", "committee.json", "--host", "127.0.0.1",
		"--initial-accounts", "accounts.txt", "--data-dir", "data"+n, "--durability", "sync", "--pin", "off")
	cmd.Dir, cmd.Stderr = w.dir, w.log
	if err := cmd.Start(); err != nil {
		w.t.Error(err)
		return
	}
	w.members[member] = cmd
	m := w.committee.Member(member)
	for shard := range m.NumShards {
		listens := w.patiently(func() bool {
			c, err := net.Dial("tcp", net.JoinHostPort(m.Host, strconv.Itoa(m.BasePort+shard)))
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		if !listens {
			w.t.Errorf("authority %d does not listen", member)
		}
	}
}

// kill ends a member as a crash does.
func (w *committeeWorld) kill(member int) {
	if cmd := w.members[member]; cmd != nil {
		_ = cmd.Process.Kill() // an error means that it has ended
		_ = cmd.Wait()
		w.members[member] = nil
	}
}

func (w *committeeWorld) end() {
	for i := range w.members {
		w.kill(i)
	}
	if text, err := os.ReadFile(w.log.Name()); w.t.Failed() {
		w.t.Logf("log of the authorities (%v):\n%s", err, text)
	}
	_ = w.log.Close()
}

func (w *committeeWorld) patiently(condition func() bool) bool { return w.awake.patiently(condition) }
