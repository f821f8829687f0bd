package node

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/node/journal"
)

func TestShardSetsRoundTrip(t *testing.T) {
	f := func(shards []int, text string) {
		t.Helper()
		if got := formatShards(shards); got != text {
			t.Errorf("%v is written %q, want %q", shards, got, text)
		}
		if got, ok := parseShardSet(text, 100); !ok || fmt.Sprint(got) != fmt.Sprint(shards) {
			t.Errorf("%q is read as %v, %v", text, got, ok)
		}
	}
	f([]int{0}, "0")
	f([]int{0, 1}, "0-1")
	f([]int{0, 2, 3, 99}, "0,2-3,99")
	f([]int{5, 7, 9}, "5,7,9")
	for _, bad := range []string{"", "-", "1-", "-1", "1-1", "3-2", "0,1", "1,0", "00", "0-2,2", "100", "a", "0,", " 0", "0-1-2"} {
		if set, ok := parseShardSet(bad, 100); ok {
			t.Errorf("%q is taken for %v", bad, set)
		}
	}
}

// beginJournal makes a journal in the folder of a set of shards, as a start does.
func beginJournal(t *testing.T, d *dataDir, shards []int) {
	t.Helper()
	fs, err := d.open(d.folderOf(shards))
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(fs, journal.Options{Identity: journal.Identity{{Name: "shards", Value: formatShards(shards)}},
		SegmentSize: 1 << 20, GroupSize: 1 << 16}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func openTestDir(t *testing.T, root string, shards []int, numShards int) *dataDir {
	t.Helper()
	name := key('a', 1).Public()
	d, err := openDataDir(root, &name, shards, numShards, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

// wantRefusal demands that a start is refused, with all of these in its reason or hint.
func wantRefusal(t *testing.T, err error, parts ...string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, part := range parts {
		if !strings.Contains(r.Reason+"\n"+r.Hint, part) {
			t.Errorf("refused with %q, hint %q: nothing of %q", r.Reason, r.Hint, part)
		}
	}
}

func TestShardsAreLocked(t *testing.T) {
	root, name := t.TempDir(), key('a', 1).Public()
	first := openTestDir(t, root, []int{0, 1}, 4)
	openTestDir(t, root, []int{2, 3}, 4) // another process with other shards shares the directory

	_, err := openDataDir(root, &name, []int{1}, 4, nil)
	wantRefusal(t, err, "shard 1 is in use by another process", first.path)

	other := key('a', 2).Public() // another authority has a folder of its own
	d, err := openDataDir(root, &other, []int{0, 1}, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.close()

	first.close()
	d, err = openDataDir(root, &name, []int{1}, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	d.close()
}

// A refused start holds no lock.
func TestLocksAreReturnedWhenOneIsTaken(t *testing.T) {
	root, name := t.TempDir(), key('a', 1).Public()
	openTestDir(t, root, []int{1}, 4)
	_, err := openDataDir(root, &name, []int{0, 1}, 4, nil)
	wantRefusal(t, err, "shard 1")
	openTestDir(t, root, []int{0}, 4)
}

func TestFolderOfAnotherSetIsRefused(t *testing.T) {
	f := func(have []int, numShards int, start []int, parts ...string) {
		t.Helper()
		root := t.TempDir()
		d := openTestDir(t, root, have, numShards)
		beginJournal(t, d, have)
		d.close()
		d = openTestDir(t, root, start, numShards)
		defer d.close()
		err := d.checkSet()
		if parts == nil {
			if err != nil {
				t.Errorf("journal of %v, start of %v: %v", have, start, err)
			}
			return
		}
		wantRefusal(t, err, append(parts, d.folderOf(have))...)
	}
	f([]int{0, 1}, 4, []int{0, 1})
	f([]int{0, 1}, 4, []int{2, 3})
	f([]int{0, 1, 2, 3}, 4, []int{2}, "shard 2", "start it without --shard")
	f([]int{2}, 4, []int{0, 1, 2, 3}, "shard 2", "start it with --shard 2")
	f([]int{0, 2, 3}, 4, []int{1, 2}, "shard 2", "start it with --shard 0,2-3")
	f([]int{0, 1, 2, 3}, 4, []int{0, 1, 2}, "start it without --shard")
	f([]int{0, 1}, 2, []int{1}, "start it without --shard")
}

// A folder that a killed first start left behind, with nothing in it, is nobody's.
func TestEmptyFolderOfAnotherSet(t *testing.T) {
	root := t.TempDir()
	d := openTestDir(t, root, []int{0}, 2)
	folder := d.folderOf([]int{0, 1})
	if _, err := d.open(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "0000000000000001.log.tmp"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.checkSet(); err != nil {
		t.Error(err)
	}
}

func TestSetWithoutFolderName(t *testing.T) {
	var odd []int
	for i := 1; i < 300; i += 2 {
		odd = append(odd, i)
	}
	wantRefusal(t, openTestDir(t, t.TempDir(), odd, 300).checkSet(), "ranges")
}

func TestNoneIsRefusedWhereAJournalIs(t *testing.T) {
	root := t.TempDir()
	d := openTestDir(t, root, []int{0, 1}, 2)
	beginJournal(t, d, []int{1})
	wantRefusal(t, d.beginNone(), d.folderOf([]int{1}), "--durability sync")
	if has, _ := hasMark(d.fs, noneMark); has {
		t.Error("a refused start left its mark")
	}
}

func TestNoneLeavesAMark(t *testing.T) {
	d := openTestDir(t, t.TempDir(), []int{0, 1}, 2)
	if err := d.checkNone(false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.beginNone(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // a refused start does not take it away
		wantRefusal(t, d.checkNone(false), "--durability none", "--accept-lost-votes")
	}
	if err := d.checkNone(true); err != nil {
		t.Error(err)
	}
}

func TestAsyncMark(t *testing.T) {
	fs := new(journal.MemFS)
	if err := checkAsync(fs, "folder", false); err != nil {
		t.Fatal(err)
	}
	if err := setMark(fs, asyncMark, asyncText); err != nil {
		t.Fatal(err)
	}
	crashed := fs.Crash(func() bool { return false })
	wantRefusal(t, checkAsync(crashed, "folder", false), "folder", "--accept-lost-votes")
	if err := checkAsync(crashed, "folder", true); err != nil {
		t.Error(err)
	}
	if err := removeMark(fs, asyncMark); err != nil {
		t.Fatal(err)
	}
	if err := checkAsync(fs.Crash(func() bool { return false }), "folder", false); err != nil {
		t.Error(err)
	}
}

// Whatever operation of making a mark fails, an error comes back, and a second try makes it.
func TestMarkIsMadeOrRefused(t *testing.T) {
	for fail := 0; ; fail++ {
		mem, n := new(journal.MemFS), 0
		fs := &journal.FaultFS{FS: mem, Inject: func(journal.Op) error {
			if n++; n == fail+1 {
				return errors.New("injected")
			}
			return nil
		}}
		err := setMark(fs, noneMark, noneText)
		crashed := mem.Crash(func() bool { return false })
		if has, _ := hasMark(crashed, noneMark); err == nil && !has {
			t.Fatalf("operation %d: the mark was made, and is gone after a crash", fail)
		}
		if n <= fail {
			if fail < 4 {
				t.Fatalf("only %d operations", fail)
			}
			return
		}
		if err == nil {
			t.Fatalf("operation %d failed without an error", fail)
		}
	}
}

func accountsOf(n int, balance uint64) iter.Seq2[codec.Address, codec.Balance] {
	return func(yield func(codec.Address, codec.Balance) bool) {
		for i := range n {
			if !yield(codec.Address{byte(i), byte(i >> 8)}, codec.NewBalance(balance)) {
				return
			}
		}
	}
}

func TestAccountsListIsKnownAgain(t *testing.T) {
	known, _ := listAccounts(accountsOf(5000, 7), 0)
	if got := (accountsList{}); !got.read(known.String()) || got != known {
		t.Fatalf("%v is read as %v", known, got)
	}
	if err := checkAccounts("F", accountsOf(5000, 7), known); err != nil {
		t.Error(err)
	}
	wantRefusal(t, checkAccounts("F", accountsOf(5003, 7), known), "F has 5000 initial accounts, and 3 were added", "add-accounts")
	wantRefusal(t, checkAccounts("F", accountsOf(4999, 7), known), "F has other initial accounts", "not applied again")
	wantRefusal(t, checkAccounts("F", accountsOf(5000, 8), known), "F has other initial accounts")
	wantRefusal(t, checkAccounts("F", accountsOf(5001, 8), known), "F has other initial accounts")
	wantRefusal(t, checkAccounts("F", nil, known), "F has other initial accounts")

	none, _ := listAccounts(nil, 0)
	if err := checkAccounts("F", accountsOf(0, 0), none); err != nil {
		t.Error(err)
	}
	wantRefusal(t, checkAccounts("F", accountsOf(1, 0), none), "1 were added")
	for _, bad := range []string{"", "5", "5 accounts, sha256 12", "5 accounts", "-1 accounts, sha256 " + strings.Repeat("0", 64)} {
		if new(accountsList).read(bad) {
			t.Errorf("%q is read as a list", bad)
		}
	}
}

func TestIdentityNamesWhatDiffers(t *testing.T) {
	w := newWorld(t, 4, 2, 0)
	check := func(o Options) *config {
		c, err := o.check()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	list, _ := listAccounts(nil, 0)
	have := check(w.options()).identity(list)
	if err := checkIdentity("F", have, check(w.options()).identity(list)); err != nil {
		t.Error(err)
	}
	moved := *w // hosts and ports may change
	moved.members[1].Host, moved.members[1].BasePort = "example.com", 7
	if err := checkIdentity("F", have, check(moved.options()).identity(list)); err != nil {
		t.Error(err)
	}
	wantRefusal(t, checkIdentity("F", have, check(newWorld(t, 5, 2, 0).options()).identity(list)),
		"committee is 4 members", "5 members", "the committee file with which the authority was begun")
	wantRefusal(t, checkIdentity("F", have, check(newWorld(t, 4, 3, 0).options()).identity(list)),
		"number of shards is 2 there, and 3 here", "shards is 0-1 there, and 0-2 here")
	wantRefusal(t, checkIdentity("F", have, check(w.durable(nil, 1)).identity(list)), "shards is 0-1 there, and 1 here")
	foreign := have
	foreign = append(journal.Identity{{Name: fieldAuthority, Value: "somebody"}}, foreign[1:]...)
	wantRefusal(t, checkIdentity("F", foreign, have), "authority is somebody there", "data directory of its own")
	wantRefusal(t, checkIdentity("F", nil, have), "authority is unknown there")
}
