package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"

	"pgregory.net/rapid"
)

// TestWalletGolden rewrites files that the prototype wrote, byte for byte.
func TestWalletGolden(t *testing.T) {
	for _, name := range []string{"accounts.json", "accounts_fresh.json"} {
		want := readFile(t, filepath.Join("testdata", name))
		path := filepath.Join(t.TempDir(), name)
		writeFile(t, path, want)
		w := openWallet(t, path)
		if err := w.Save(); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, path); !bytes.Equal(got, want) {
			t.Errorf("%s: rewriting changed the file:\n%s", name, got)
		}
	}
}

// TestAccountLinesGolden rewrites lines whose keys are made up, so that they don't pass as a wallet.
func TestAccountLinesGolden(t *testing.T) {
	for i, line := range bytes.SplitAfter(readFile(t, "testdata/account_lines.json"), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		a, err := parseAccount(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if got := appendAccount(nil, a); !bytes.Equal(got, line) {
			t.Errorf("line %d became\n%s", i+1, got)
		}
	}
}

// TestWalletAfterPrototype reads what the prototype's file means: its benchmark leaves payments uncounted.
func TestWalletAfterPrototype(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.json")
	writeFile(t, path, readFile(t, "testdata/accounts.json"))
	w := openWallet(t, path)
	type row struct {
		next               uint64
		balance            string
		complete           bool
		numSent, numGotten int
	}
	want := []row{{3, "103", false, 0, 3}, {3, "103", false, 0, 3}, {4, "90", true, 4, 3}, {3, "113", false, 0, 4}, {3, "100", false, 0, 0}}
	i := 0
	for a := range w.All() {
		if got := (row{a.NextSequenceNumber, a.Balance.String(), a.Complete(), len(a.Sent), len(a.Received)}); got != want[i] {
			t.Errorf("account %d: got %+v, want %+v", i, got, want[i])
		}
		i++
	}
}

func TestWalletPendingRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.json")
	w := openWallet(t, path)
	a, err := w.Add(testKey(1), codec.NewBalance(100))
	if err != nil {
		t.Fatal(err)
	}
	a.Pending = testOrder(testKey(1), testKey(2).Public(), 7, 0)
	want := bytes.Clone(a.Pending.Bytes())
	if err := errors.Join(w.Save(), w.Close()); err != nil {
		t.Fatal(err)
	}
	line := readFile(t, path)
	if !json.Valid(line) || !bytes.Contains(line, []byte(`"received_certificates":[],"pending_transfer":{"transfer":`)) {
		t.Fatalf("unexpected line %s", line)
	}
	w = openWallet(t, path)
	if got := w.Account(&a.Address).Pending; !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("the pending order changed")
	}
	if mode := stat(t, path).Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
}

func TestWalletBadLine(t *testing.T) {
	good := strings.Split(strings.TrimSpace(string(readFile(t, "testdata/accounts_fresh.json"))), "\n")
	f := func(what, bad, wantError string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "accounts.json")
		content := good[0] + "\n\n" + bad + "\n" + good[4] + "\n"
		writeFile(t, path, []byte(content))
		_, err := OpenWallet(path)
		if err == nil || !strings.Contains(err.Error(), path+", line 3: ") || !strings.Contains(err.Error(), wantError) {
			t.Errorf("%s: got error %v", what, err)
		}
		if got := readFile(t, path); string(got) != content {
			t.Errorf("%s: the file changed", what)
		}
		if _, err := os.Stat(path + lockSuffix); err == nil {
			t.Errorf("%s: the lock file stayed", what)
		}
	}
	edit := func(old, new string) string { return strings.Replace(good[1], old, new, 1) }
	address := func(line string) string { return line[12:56] }
	f("not JSON", "hello", `column 1: expected '{'`)
	f("cut", good[1][:len(good[1])-1], `expected '}'`)
	f("more", good[1]+"1", "expected the end")
	f("unknown field", edit(`"balance"`, `"Balance":1,"balance"`), `unknown field "Balance"`)
	f("repeated field", edit(`"balance"`, `"balance":1,"balance"`), `field "balance" twice`)
	f("missing field", edit(`,"sent_certificates":[]`, ""), `field "sent_certificates" is missing`)
	f("trailing comma", edit(`[]}`, `[],}`), "expected '\"'")
	f("negative sequence number", edit(`"next_sequence_number":`, `"next_sequence_number":-`), "0 to 2^64-1")
	f("leading zero", edit(`"balance":`, `"balance":0`), "expected")
	f("fraction", edit(`"balance":`, `"balance":1.`), "expected")
	f("balance of 129 bits", edit(`"balance":`, `"balance":340282366920938463463374607431768211455`), "128 bits")
	f("escape", edit(`"address":"`, `"address":"\n`), "unexpected character")
	f("short key", edit(`"key":"`, `"key":"",`[:8]), "base64 of 64 bytes")
	f("the same account twice", good[0], "earlier line")
	f("another's key", strings.Replace(good[1], address(good[1]), address(good[2]), 1), "key does not belong")
	f("broken seed", edit(`"key":"`+key(good[1])[:4], `"key":"AAAA`), "key does not belong")
	pending := string(appendOrder(nil, testOrder(testKey(1), testKey(2).Public(), 1, 0)))
	f("pending of another", edit(`[]}`, `[],"pending_transfer":`+pending+`}`), "of another account")
}

func key(line string) string { _, k, _ := strings.Cut(line, `"key":"`); return k[:88] }

func TestWalletLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.json")
	w := openWallet(t, path)
	if _, err := OpenWallet(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Fatalf("second open: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatalf("second close: %v", err)
	}
	openWallet(t, path)
}

// TestWalletLockContended opens from many sides at once: the removal of the lock file must not let two in.
func TestWalletLockContended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.json")
	inside := make(chan struct{}, 1)
	done := make(chan error)
	for range 4 {
		go func() {
			for range 200 {
				w, err := OpenWallet(path)
				if errors.Is(err, ErrLocked) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					done <- err
					return
				}
				select {
				case inside <- struct{}{}:
				default:
					done <- errors.New("two hold the lock")
					return
				}
				<-inside
				w.Close()
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestWalletSaveFails stops a save before each of its steps: the old file stands, and the next save succeeds.
func TestWalletSaveFails(t *testing.T) {
	for _, at := range []string{"create", "write", "sync", "close", "rename"} {
		path := filepath.Join(t.TempDir(), "w.json")
		old := readFile(t, "testdata/accounts_fresh.json")
		writeFile(t, path, old)
		w := openWallet(t, path)
		w.Add(testKey(1), codec.NewBalance(1))
		full := errors.New("no space left on device")
		w.step = func(name string) error {
			if name == at {
				return full
			}
			return nil
		}
		if err := w.Save(); !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
			t.Fatalf("%s: %v", at, err)
		}
		if !bytes.Equal(readFile(t, path), old) {
			t.Fatalf("%s: the old content is gone", at)
		}
		if _, err := os.Stat(path + tempSuffix); err == nil {
			t.Errorf("%s: the temporary file stayed", at)
		}
		w.step = func(string) error { return nil }
		if err := w.Save(); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if bytes.Equal(readFile(t, path), old) {
			t.Fatalf("%s: the second save did nothing", at)
		}
	}
}

// TestWalletThroughLink keeps a link a link.
func TestWalletThroughLink(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "real.json"), nil)
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink("real.json", link); err != nil {
		t.Fatal(err)
	}
	w := openWallet(t, link)
	w.Add(testKey(1), codec.NewBalance(1))
	if err := w.Save(); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "real.json" {
		t.Fatalf("link: %q, %v", target, err)
	}
	if len(readFile(t, link)) == 0 {
		t.Fatal("the target did not change")
	}
}

// TestAccountLineMatchesEncodingJSON draws accounts, and reads their lines with ours and the standard library.
func TestAccountLineMatchesEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAccount(t)
		line := appendAccount(nil, a)
		back, err := parseAccount(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		if again := appendAccount(nil, back); !bytes.Equal(again, line) {
			t.Fatalf("a second writing differs:\n%s%s", line, again)
		}
		if err := back.check(); err != nil {
			t.Fatal(err)
		}
		checkAgainstEncodingJSON(t, line, a)
	})
}

func checkAgainstEncodingJSON(t interface{ Fatalf(string, ...any) }, line []byte, a *Account) {
	var v struct {
		Address []byte        `json:"address"`
		Key     []byte        `json:"key"`
		Next    uint64        `json:"next_sequence_number"`
		Balance codec.Balance `json:"balance"`
		Sent    []struct {
			Value struct {
				Transfer struct {
					Amount uint64 `json:"amount"`
				} `json:"transfer"`
				Signature [64]byte `json:"signature"`
			} `json:"value"`
			Signatures [][2]json.RawMessage `json:"signatures"`
		} `json:"sent_certificates"`
		Received []json.RawMessage `json:"received_certificates"`
		Pending  *json.RawMessage  `json:"pending_transfer"`
	}
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatalf("encoding/json: %v in %s", err, line)
	}
	if codec.Address(v.Address) != a.Address || [32]byte(v.Key) != a.seed || v.Next != a.NextSequenceNumber || v.Balance != a.Balance ||
		len(v.Sent) != len(a.Sent) || len(v.Received) != len(a.Received) || (v.Pending == nil) != a.Pending.IsZero() {
		t.Fatalf("encoding/json reads another account from %s", line)
	}
	byAmount := map[uint64]int{}
	for _, c := range a.Sent {
		byAmount[c.Order().Amount()] += 1 + c.NumVotes()
	}
	for _, c := range v.Sent {
		byAmount[c.Value.Transfer.Amount] -= 1 + len(c.Signatures)
	}
	for amount, n := range byAmount {
		if n != 0 {
			t.Fatalf("sent certificates of amount %d differ in %s", amount, line)
		}
	}
}

func FuzzAccountLine(f *testing.F) {
	for _, name := range []string{"accounts.json", "account_lines.json", "accounts_fresh.json"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			f.Add(bytes.TrimSuffix(line, []byte("\n")))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		a, err := parseAccount(line)
		if err != nil {
			return
		}
		checkAgainstEncodingJSON(t, line, a)
		written := appendAccount(nil, a)
		b, err := parseAccount(bytes.TrimSuffix(written, []byte("\n")))
		if err != nil {
			t.Fatalf("%v in what was written: %s", err, written)
		}
		if again := appendAccount(nil, b); !bytes.Equal(written, again) {
			t.Fatalf("writing is not stable:\n%s%s", written, again)
		}
	})
}

// BenchmarkWalletLoad shows that the time is linear in the accounts.
func BenchmarkWalletLoad(b *testing.B) {
	for _, accounts := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			line := appendAccount(nil, &Account{Address: testKey(1).Public(), Balance: codec.NewBalance(100)})
			var file []byte
			for i := range accounts {
				var a Account
				a.Address[0], a.Address[1], a.Address[2] = byte(i), byte(i>>8), byte(i>>16)
				file = appendAccount(file, &a)
			}
			b.SetBytes(int64(len(line) * accounts))
			b.ReportAllocs()
			for b.Loop() {
				w := &Wallet{index: make(map[codec.Address]*Account)}
				if _, err := w.read(bytes.NewReader(file)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAccountLine writes accounts that hold a certificate, as most bytes of a used wallet are.
func BenchmarkAccountLine(b *testing.B) {
	w := newWorld(b, 4)
	c := w.certificate(testOrder(testKey(1), testKey(2).Public(), 1, 0))
	a := &Account{Address: testKey(1).Public(), NextSequenceNumber: 1, Sent: []codec.Certificate{c}}
	line := appendAccount(nil, a)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		for b.Loop() {
			line = appendAccount(line[:0], a)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		for b.Loop() {
			if _, err := parseAccount(line[:len(line)-1]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// drawAccount favors limits; the signatures are noise of the right shape.
func drawAccount(t *rapid.T) *Account {
	number := func(label string) uint64 {
		return rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}), rapid.Uint64()).Draw(t, label)
	}
	array := func(dst []byte, label string) {
		copy(dst, rapid.SliceOfN(rapid.Byte(), len(dst), len(dst)).Draw(t, label))
	}
	a := new(Account)
	array(a.Address[:], "address")
	array(a.seed[:], "seed")
	a.Balance, _ = codec.ParseBalance(rapid.SampledFrom([]string{"0", "-1", "18446744073709551616",
		"170141183460469231731687303715884105727", "-170141183460469231731687303715884105728"}).Draw(t, "balance"))
	signature := func() (s crypto.Signature) {
		array(s[:], "signature")
		s[63] &= 0x1f
		return s
	}
	order := func(sender, recipient codec.Address, kind codec.RecipientKind, n uint64) codec.Order {
		t1 := codec.Transfer{Sender: sender, Recipient: codec.Recipient{Kind: kind, Address: recipient},
			Amount: number("amount"), SequenceNumber: n}
		if t1.UserData.Present = rapid.Bool().Draw(t, "data"); t1.UserData.Present {
			array(t1.UserData.Bytes[:], "user data")
		}
		s := signature()
		return codec.NewOrder(&t1, &s)
	}
	certify := func(o codec.Order) codec.Certificate {
		votes := make([]codec.VoteEntry, rapid.IntRange(0, 3).Draw(t, "votes"))
		for i := range votes {
			array(votes[i].Authority[:], "authority")
			votes[i].Signature = signature()
		}
		return codec.NewCertificate(o, votes)
	}
	var other codec.Address
	array(other[:], "other")
	first := number("first")
	for i := range min(uint64(rapid.IntRange(0, 2).Draw(t, "sent")), ^first) {
		kind := codec.RecipientKind(rapid.IntRange(0, 1).Draw(t, "kind"))
		a.Sent = append(a.Sent, certify(order(a.Address, other, kind, first+i)))
		a.NextSequenceNumber = first + i + 1
	}
	for i := range uint64(rapid.IntRange(0, 2).Draw(t, "received")) {
		a.Received = append(a.Received, certify(order(other, a.Address, codec.FastPay, i)))
	}
	if rapid.Bool().Draw(t, "pending") {
		a.Pending = order(a.Address, other, codec.FastPay, a.NextSequenceNumber)
	}
	return a
}

func testKey(n byte) *crypto.PrivateKey { return crypto.NewPrivateKey(&[32]byte{'k', 'e', 'y', n}) }

func testOrder(from *crypto.PrivateKey, to codec.Address, amount, number uint64) codec.Order {
	t := codec.Transfer{Sender: from.Public(), Recipient: codec.Recipient{Kind: codec.FastPay, Address: to},
		Amount: amount, SequenceNumber: number}
	var s crypto.Signature
	from.Sign(&s, t.AppendSignedBytes(nil))
	return codec.NewOrder(&t, &s)
}

func openWallet(t testing.TB, path string) *Wallet {
	t.Helper()
	w, err := OpenWallet(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func stat(t testing.TB, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
