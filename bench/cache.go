package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"fastpay/codec"
	"fastpay/crypto"
	"golang.org/x/sys/unix"
)

// cache keeps what is expensive to make: the accounts' addresses and, on a machine that signs slowly, the signatures of
// each round. It is only a cache: a
// file that is missing, damaged or of another version is made again, and failing to write is no error. Files:
//
//	<user cache>/fastpay/bench-v2/<seed>-<committee>-<accounts>[-<mix>]/{accounts,round-000000,...}
//
// Each is a header of cacheHeader bytes, then the payload:
//
//	| magic (8) | seed | committee | accounts | mix | round | payload length | CRC-32C of all before and of the payload |
//
// of little-endian u64; mix is 0 for the ring, else a hash. Files appear by renaming, so a reader never sees half of one.
type cache struct {
	dir      string // of this workload; "" when there is no cache
	root     string
	seed     uint64
	members  int
	accounts int
	mix      uint64
	limit    int64 // of all files below root

	// accountsOnly leaves the signatures out: where they are made faster than a disk reads and writes them, the cache would
	// slow the preparation down, and its dirty pages would be written back during the measurement.
	accountsOnly bool
}

const (
	cacheMagic  = "FPBENCH\x02"
	cacheHeader = 8 * 8

	// maxCacheBytes bounds the disk space: some 10 million payments with a committee of 4. The workloads that were not
	// used for longest go first.
	maxCacheBytes = 4 << 30
	// minFreeShare of the file system is never taken.
	minFreeShare = 0.05

	accountsFile  = "accounts"
	accountsRound = 1<<64 - 1 // in the header's place for the round
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openCache finds the cache of a workload below the user's cache folder.
func openCache(seed uint64, members, accounts int, mix string) *cache {
	base, err := os.UserCacheDir()
	if err != nil {
		return &cache{}
	}
	_ = os.RemoveAll(filepath.Join(base, "fastpay", "bench-v1")) // of an older version
	return newCache(filepath.Join(base, "fastpay", "bench-v2"), seed, members, accounts, mix)
}

func newCache(root string, seed uint64, members, accounts int, mix string) *cache {
	c := &cache{root: root, seed: seed, members: members, accounts: accounts, limit: maxCacheBytes}
	name := fmt.Sprintf("%d-%d-%d", seed, members, accounts)
	if mix != "" {
		h := fnv.New64a()
		_, _ = h.Write([]byte(mix)) // never fails
		c.mix = h.Sum64()
		name += fmt.Sprintf("-%016x", c.mix)
	}
	c.dir = filepath.Join(root, name)
	now := time.Now()
	_ = os.Chtimes(c.dir, now, now) // in use; fails when there is none yet
	return c
}

func roundFile(round int) string { return fmt.Sprintf("round-%06d", round) }

// loadAccounts returns the addresses, nil when they are not cached.
func (c *cache) loadAccounts() []codec.Address {
	b := c.load(accountsFile, accountsRound, c.accounts*crypto.PublicKeySize)
	if b == nil {
		return nil
	}
	return unsafe.Slice((*codec.Address)(unsafe.Pointer(unsafe.SliceData(b))), c.accounts)
}

func (c *cache) storeAccounts(accounts []codec.Address) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(accounts))), len(accounts)*crypto.PublicKeySize)
	_ = c.store(accountsFile, accountsRound, b)
}

// loadRound returns n signatures, nil when they are not cached.
func (c *cache) loadRound(round, n int) []crypto.Signature {
	if c.accountsOnly {
		return nil
	}
	b := c.load(roundFile(round), uint64(round), n*crypto.SignatureSize)
	if b == nil {
		return nil
	}
	return unsafe.Slice((*crypto.Signature)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

func (c *cache) hasRound(round int) bool {
	if c.dir == "" || c.accountsOnly {
		return false
	}
	_, err := os.Stat(filepath.Join(c.dir, roundFile(round)))
	return err == nil
}

func (c *cache) storeRound(round int, signatures []crypto.Signature) {
	if c.accountsOnly {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(signatures))), len(signatures)*crypto.SignatureSize)
	_ = c.store(roundFile(round), uint64(round), b)
}

// load returns the payload of a file that is whole, and is the one that was asked for.
func (c *cache) load(name string, round uint64, size int) []byte {
	if c.dir == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil || len(b) != cacheHeader+size || string(b[:cacheHeader]) != string(c.header(round, b[cacheHeader:])) {
		return nil
	}
	return b[cacheHeader:]
}

func (c *cache) header(round uint64, payload []byte) []byte {
	h := append(make([]byte, 0, cacheHeader), cacheMagic...)
	for _, v := range [...]uint64{c.seed, uint64(c.members), uint64(c.accounts), c.mix, round, uint64(len(payload))} {
		h = binary.LittleEndian.AppendUint64(h, v)
	}
	sum := crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, payload)
	return binary.LittleEndian.AppendUint64(h, uint64(sum))
}

// errCacheFull means that a file would break a bound.
var errCacheFull = errors.New("bench: no room in the cache")

func (c *cache) store(name string, round uint64, payload []byte) error {
	if c.dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	if err := c.makeRoom(int64(cacheHeader + len(payload))); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(c.header(round, payload))
	if err == nil {
		_, err = f.Write(payload)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// makeRoom removes the workloads that were not used for longest until size bytes more fit. This one stays.
func (c *cache) makeRoom(size int64) error {
	type held struct {
		dir   string
		bytes int64
		used  time.Time
	}
	var all []held
	total := size
	entries, err := os.ReadDir(c.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() {
			continue
		}
		h := held{dir: filepath.Join(c.root, e.Name()), used: info.ModTime()}
		h.bytes = treeSize(h.dir)
		total += h.bytes
		if h.dir != c.dir {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b held) int { return a.used.Compare(b.used) })
	for _, h := range all {
		if total <= c.limit {
			break
		}
		if err := os.RemoveAll(h.dir); err != nil {
			return err
		}
		total -= h.bytes
	}
	if total > c.limit || !hasSpace(c.root, size) {
		return errCacheFull
	}
	return nil
}

// treeSize adds up a workload's files. What a killed run left half written goes on the way.
func treeSize(dir string) (total int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue
		}
		if strings.HasPrefix(e.Name(), "new-") && time.Since(info.ModTime()) > staleAfter {
			_ = os.Remove(filepath.Join(dir, e.Name()))
			continue
		}
		total += info.Size()
	}
	return total
}

// staleAfter is far beyond the time that writing one file takes.
const staleAfter = time.Hour

func hasSpace(dir string, size int64) bool {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return false
	}
	free, all := float64(s.Bavail)*float64(s.Bsize), float64(s.Blocks)*float64(s.Bsize)
	return free-float64(size) > minFreeShare*all
}
