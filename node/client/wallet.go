package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"fastpay/codec"
	"fastpay/crypto"
)

// Wallet is the accounts file: one account a line, sorted by address, in the prototype's format. It is held locked from
// OpenWallet to Close. Nothing is written but by Save, which replaces the file as a whole.
//
// Its persistence contract, kept by Client:
//
//  1. An order is signed only when its account has nothing pending, and becomes Pending before anything else happens.
//  2. Save returns before the first byte of the order leaves.
//  3. A Save with the certificate in Sent returns before the first byte of the certificate leaves. From then on nothing
//     that authorities could forget is needed to finish the payment.
//  4. Pending is cleared in a later Save, and only once the payment is settled at a quorum.
//
// A Wallet is not safe for concurrent use.
type Wallet struct {
	path     string // with links resolved
	lock     *os.File
	accounts []*Account
	index    map[codec.Address]*Account
	sorted   bool
	unsaved  bool // the file may lack an order that is pending in memory

	step func(name string) error // before each step of a Save; tests fail there
}

// eagerKeyChecks is the largest wallet whose keys are all checked against their addresses when it is read, at about 20 µs
// each: up to a second. In larger wallets that is done when a key is first used, always before it signs.
const eagerKeyChecks = 1 << 16

// OpenWallet locks and reads the wallet at path; where there is none, it is empty and Save creates it. Errors name the
// file and the line. A second OpenWallet of the same file, in any process, fails with ErrLocked.
func OpenWallet(path string) (*Wallet, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // so that Save replaces the file, and not the link to it
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	w := &Wallet{path: path, lock: lock, step: func(string) error { return nil }}
	if err := w.load(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close lets go of the lock. It does not save.
func (w *Wallet) Close() error {
	if w.lock == nil {
		return nil
	}
	lock := w.lock
	w.lock = nil
	return unlockFile(lock)
}

// Path is the wallet's file, with links resolved.
func (w *Wallet) Path() string { return w.path }

// Account is the account with this address, nil when the wallet does not have it.
func (w *Wallet) Account(address *codec.Address) *Account { return w.index[*address] }

// All goes through the accounts by address.
func (w *Wallet) All() iter.Seq[*Account] {
	w.sort()
	return slices.Values(w.accounts)
}

// Add makes an account of a new key, in memory. The address must be new.
func (w *Wallet) Add(key *crypto.PrivateKey, balance codec.Balance) (*Account, error) {
	a := &Account{Address: key.Public(), Balance: balance, seed: key.Seed(), key: key}
	if w.index[a.Address] != nil {
		return nil, fmt.Errorf("client: account %s is in the wallet already", codec.FormatAddress(&a.Address))
	}
	w.insert(a)
	return a, nil
}

func (w *Wallet) insert(a *Account) {
	w.sorted = w.sorted && (len(w.accounts) == 0 || compareAccounts(w.accounts[len(w.accounts)-1], a) < 0)
	w.accounts = append(w.accounts, a)
	w.index[a.Address] = a
}

// Save replaces the file by what is in memory, readable by its owner alone, and returns once it is on the disk. On an
// error the file is as it was, and memory keeps the change.
func (w *Wallet) Save() error {
	if w.lock == nil {
		return errors.New("client: the wallet is closed")
	}
	w.sort()
	w.unsaved = true
	if err := replaceFile(w.path, w.write, w.step); err != nil {
		return fmt.Errorf("client: can't save the wallet %s: %w", w.path, err)
	}
	w.unsaved = false
	return nil
}

// write buffers in chunks; a wallet may have millions of lines.
func (w *Wallet) write(f *os.File) error {
	const chunk = 1 << 20
	buf := make([]byte, 0, chunk+chunk/4)
	for _, a := range w.accounts {
		if buf = appendAccount(buf, a); len(buf) >= chunk {
			if _, err := f.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := f.Write(buf)
	return err
}

func (w *Wallet) sort() {
	if !w.sorted {
		slices.SortFunc(w.accounts, compareAccounts)
		w.sorted = true
	}
}

func compareAccounts(a, b *Account) int { return bytes.Compare(a.Address[:], b.Address[:]) }

func (w *Wallet) load() error {
	w.index = make(map[codec.Address]*Account)
	w.sorted = true
	f, err := os.Open(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("client: can't read the wallet: %w", err)
	}
	defer f.Close()
	lines, err := w.read(f)
	if err != nil {
		return err
	}
	if len(w.accounts) > eagerKeyChecks {
		return nil
	}
	if bad := findBadKey(w.accounts); bad >= 0 {
		return w.lineError(lines[bad], errKeyMismatch)
	}
	return nil
}

// read takes the lines of r, and returns for each account the number of its line.
func (w *Wallet) read(r io.Reader) (lines []int, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	var long []byte
	for number := 1; ; {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("client: can't read the wallet: %w", err)
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := w.readLine(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
				return nil, w.lineError(number, err)
			}
			lines = append(lines, number)
		}
		if err == io.EOF {
			return lines, nil
		}
		number++
		long = long[:0]
	}
}

func (w *Wallet) readLine(line []byte) error {
	a, err := parseAccount(line)
	if err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	if w.index[a.Address] != nil {
		return errors.New("the account was on an earlier line")
	}
	w.insert(a)
	return nil
}

func (w *Wallet) lineError(number int, err error) error {
	return fmt.Errorf("client: wallet %s, line %d: %w", w.path, number, err)
}

// findBadKey returns the first account whose key is not its address's, -1 when there is none.
func findBadKey(accounts []*Account) int {
	workers := min(runtime.GOMAXPROCS(0), len(accounts))
	bad := make([]int, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			bad[w] = -1
			for i := w; i < len(accounts); i += workers {
				if _, err := accounts[i].signingKey(); err != nil {
					bad[w] = i
					return
				}
			}
		})
	}
	wg.Wait()
	first := -1
	for _, i := range bad {
		if i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}
