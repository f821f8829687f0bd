package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/perf/leaks"
)

func TestMain(m *testing.M) { os.Exit(leaks.Checked(m).Run()) }

func payTo(a codec.Address) codec.Recipient {
	return codec.Recipient{Kind: codec.FastPay, Address: a}
}

func TestTransfer(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	from, to := accounts[0], accounts[1]
	for n := range uint64(3) {
		certificate, err := c.Transfer(t.Context(), from.Address, payTo(to.Address), 10, codec.UserData{})
		if err != nil {
			t.Fatal(err)
		}
		w.certifies(t, certificate)
		if certificate.Order().SequenceNumber() != n {
			t.Fatalf("number %d, want %d", certificate.Order().SequenceNumber(), n)
		}
	}
	stranger := testKey(77).Public()
	if _, err := c.Transfer(t.Context(), to.Address, payTo(stranger), 5, codec.UserData{Present: true}); err != nil {
		t.Fatal(err)
	}
	primary := codec.Recipient{Kind: codec.Primary, Address: stranger}
	if _, err := c.Transfer(t.Context(), to.Address, primary, 1, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	wallet := reopen(t, c)
	for address, want := range map[codec.Address]string{from.Address: "3 70 3 0", to.Address: "2 124 2 3"} {
		a := wallet.Account(&address)
		if got := fmt.Sprint(a.NextSequenceNumber, a.Balance, len(a.Sent), len(a.Received)); got != want || !a.Pending.IsZero() {
			t.Errorf("wallet has %q, want %q", got, want)
		}
	}
	for i := range w.authorities {
		if a, b, s := w.balance(i, from.Address), w.balance(i, to.Address), w.balance(i, stranger); a != "70" || b != "124" || s != "5" {
			t.Errorf("authority %d has %s, %s, %s", i, a, b, s)
		}
	}
}

// reopen closes the client's wallet and reads the file.
func reopen(t testing.TB, c *Client) *Wallet {
	t.Helper()
	if err := c.wallet.Close(); err != nil {
		t.Fatal(err)
	}
	return openWallet(t, c.wallet.Path())
}

// TestTransferRefused tries what must be refused before anything is signed or sent.
func TestTransferRefused(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	before := readFile(t, c.wallet.Path())
	f := func(from codec.Address, amount uint64, want string) {
		t.Helper()
		if _, err := c.Transfer(t.Context(), from, payTo(accounts[1].Address), amount, codec.UserData{}); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
	f(testKey(9).Public(), 1, "Unknown account")
	f(accounts[0].Address, 0, "Transfers must have positive amount")
	f(accounts[0].Address, 1000, "Requested amount (Amount(1000)) is not backed by sufficient funds (Amount(100))")
	for _, a := range w.authorities {
		if a.requests > 0 {
			t.Errorf("authority %d was asked", a.index)
		}
	}
	accounts[0].NextSequenceNumber = codec.MaxSequenceNumber + 1 // with certificates that can't be had
	f(accounts[0].Address, 1, "client: the certificate of an earlier transfer is not to be had: client: certificate 0 of "+
		codec.FormatAddress(&accounts[0].Address)+": No certificate for this account and sequence number")
	accounts[0].NextSequenceNumber = 0
	c.Close()
	if after := readFile(t, c.wallet.Path()); string(after) != string(before) {
		t.Errorf("the wallet changed:\n%s", after)
	}
}

// TestSlowMinorityDelaysNothing makes a transfer while f authorities are silent or slow.
func TestSlowMinorityDelaysNothing(t *testing.T) {
	slow := func(_ *fakeAuthority, _ *codec.Message, answer func() []byte) []byte {
		time.Sleep(time.Second)
		return answer()
	}
	for name, b := range map[string]behavior{"silent": silent, "slow": slow} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			c, accounts := w.client(t, 2, true)
			w.authorities[0].set(b)
			start := time.Now()
			if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 800*time.Millisecond {
				t.Errorf("took %v", took)
			}
			start = time.Now()
			c.Close()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("closing took %v", took)
			}
		})
	}
}

// TestStragglerIsBroughtUpToDate: the fourth authority, absent for a while, has everything when the command ends.
func TestStragglerIsBroughtUpToDate(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	pay := func() {
		if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 1, codec.UserData{}); err != nil {
			t.Fatal(err)
		}
	}
	w.authorities[3].set(refuses(codec.WrongShard))
	for range 3 {
		pay()
	}
	w.authorities[3].set(honest)
	pay()
	c.Close()
	if got := w.balance(3, accounts[0].Address); got != "96" {
		t.Errorf("the straggler has %s", got)
	}
}

// TestPaymentOfFreshMoney pays at once what was just received, although the credit is still on its way everywhere.
func TestPaymentOfFreshMoney(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	for _, a := range w.authorities {
		a.hold = true
	}
	if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 100, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		for _, a := range w.authorities {
			a.mu.Lock()
			a.hold = false
			a.releaseCredits()
			a.mu.Unlock()
		}
	})
	if _, err := c.Transfer(t.Context(), accounts[1].Address, payTo(accounts[0].Address), 200, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// crashing stops the world's network after a number of requests were answered, as if the process had been killed.
type crashing struct {
	*world
	mu     sync.Mutex
	left   int
	orders map[string]bool // distinct transfers by (sender, number): seen by authorities
	crash  context.CancelFunc
}

func (n *crashing) Exchange(ctx context.Context, i int, account *codec.Address, message []byte) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left == 0 {
		n.crash()
		return nil, ctx.Err()
	}
	n.left--
	var m codec.Message
	if m.Decode(message) && m.Kind == codec.KindOrder {
		n.orders[string(m.Order().TransferBytes())] = true
	}
	return n.world.Exchange(ctx, i, account, message)
}

// TestCrashAtEveryStep kills the client at every request and at every step of every save of a transfer. After each, a
// new client with the wallet file makes a different transfer: the first is finished, and never was a second order signed
// under its number.
func TestCrashAtEveryStep(t *testing.T) {
	for _, kind := range []string{"request", "save"} {
		finished := false
		for at := 0; !finished; at++ {
			if at > 100 {
				t.Fatal("the transfer never ends")
			}
			t.Run(fmt.Sprintf("%s %d", kind, at), func(t *testing.T) { finished = crashOnce(t, kind, at) })
		}
	}
}

var errCrash = errors.New("crash")

// crashOnce reports whether the transfer was over before the crash.
func crashOnce(t *testing.T, kind string, at int) (finished bool) {
	w := newWorld(t, 4)
	path := filepath.Join(t.TempDir(), "accounts.json")
	c, accounts := w.clientAt(t, path, 2, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	network := &crashing{world: w, left: -1, orders: make(map[string]bool)}
	c.network = network
	var dead atomic.Bool // nothing is written any more
	network.crash = func() { dead.Store(true); cancel() }
	steps := 0
	c.wallet.step = func(string) error {
		if steps++; dead.Load() || kind == "save" && steps > at {
			network.crash()
			return errCrash
		}
		return nil
	}
	if kind == "request" {
		network.left = at
	}
	payee := testKey(50).Public()
	_, err := c.Transfer(ctx, accounts[0].Address, payTo(payee), 10, codec.UserData{})
	finished = err == nil
	cancel()
	c.stragglers.Wait()
	os.Remove(path + lockSuffix)
	c.wallet.lock.Close()

	network = &crashing{world: w, left: -1, orders: network.orders}
	c2, accounts2 := w.clientAt(t, path, 2, false)
	c2.network = network
	if _, err := c2.Transfer(t.Context(), accounts2[0].Address, payTo(payee), 20, codec.UserData{}); err != nil {
		t.Fatalf("after the crash: %v", err)
	}
	c2.Close()
	numbers := make(map[uint64]int)
	for transfer := range network.orders {
		var m codec.Message
		if !m.Decode(append([]byte{0, 0, 0, 0}, append([]byte(transfer), make([]byte, 64)...)...)) {
			t.Fatal("bad order")
		}
		if numbers[m.Order().SequenceNumber()]++; numbers[m.Order().SequenceNumber()] > 1 {
			t.Errorf("two orders with number %d", m.Order().SequenceNumber())
		}
	}
	// Either the first was never signed, or it was made once.
	got := w.balance(0, accounts[0].Address)
	if known := accounts2[0].Balance.String(); got != known || got != "70" && got != "80" || got == "80" && finished {
		t.Errorf("the authorities have %s, the wallet %s; finished before the crash: %v", got, known, finished)
	}
	return finished
}

// TestPendingBlocksItsAccountOnly leaves an order that nobody certifies, then goes on with another account, and in the
// end with the same.
func TestPendingBlocksItsAccountOnly(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, false)
	w.fund(t, accounts[1].Address, 100)
	_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{})
	if !errors.Is(err, ErrPending) || !errors.Is(err, &codec.Error{Code: codec.UnknownSenderAccount}) {
		t.Fatalf("error %v", err)
	}
	if _, err := c.Transfer(t.Context(), accounts[1].Address, payTo(accounts[0].Address), 1, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	if b, err := c.QueryBalance(t.Context(), accounts[0].Address); err != nil || b != 91 {
		t.Errorf("balance %d, %v", b, err)
	}
	if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 20, codec.UserData{}); !errors.Is(err, ErrPending) {
		t.Errorf("a second order: %v", err)
	}
	for _, a := range w.authorities { // the funding arrives
		for n := range uint64(9) {
			w.pay(t, testKey(60), accounts[0].Address, 1, n, a.index)
		}
	}
	if b, err := c.QueryBalance(t.Context(), accounts[0].Address); err != nil || b != 91 || !accounts[0].Pending.IsZero() {
		t.Errorf("balance %d, %v", b, err)
	}
	c.Close()
}

// TestOrderThatCannotBeSaved reaches no authority; the client makes the payment when there is room again.
func TestOrderThatCannotBeSaved(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	network := &crashing{world: w, left: -1, orders: make(map[string]bool)}
	c.network = network
	full := errors.New("no space left on device")
	c.wallet.step = func(string) error { return full }
	_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{})
	if !errors.Is(err, ErrNotSent) || !errors.Is(err, full) || len(network.orders) != 0 {
		t.Errorf("error %v, and %d orders were sent", err, len(network.orders))
	}
	c.wallet.step = func(string) error { return nil }
	if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 5, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	if b, err := c.QueryBalance(t.Context(), accounts[0].Address); err != nil || b != 85 || len(network.orders) != 2 {
		t.Errorf("balance %d after %d orders, %v", b, len(network.orders), err)
	}
	c.Close()
}

// TestWalletFromBackup goes on with an old copy of the wallet: settled payments are found, and a pending order is finished
// before a new one is signed.
func TestWalletFromBackup(t *testing.T) {
	payee := testKey(50).Public()
	for name, last := range map[string]behavior{"all settled": honest, "the last one pending": refuses(codec.WrongShard)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			c, accounts := w.client(t, 1, true)
			backup := readFile(t, c.wallet.Path())
			for i := range 70 {
				if i == 69 {
					for _, a := range w.authorities {
						a.set(onCertificates(last))
					}
				}
				c.Transfer(t.Context(), accounts[0].Address, payTo(payee), 1, codec.UserData{})
			}
			for _, a := range w.authorities {
				a.set(honest)
			}
			c.Close()
			if err := c.wallet.Close(); err != nil {
				t.Fatal(err)
			}
			writeFile(t, c.wallet.Path(), backup)
			c, accounts = w.clientAt(t, c.wallet.Path(), 1, false)
			certificate, err := c.Transfer(t.Context(), accounts[0].Address, payTo(payee), 5, codec.UserData{})
			if err != nil {
				t.Fatal(err)
			}
			if n := certificate.Order().SequenceNumber(); n != 70 || accounts[0].Balance != codec.NewBalance(25) || !accounts[0].Complete() {
				t.Errorf("number %d, balance %s", n, accounts[0].Balance)
			}
			c.Close()
		})
	}
}

func onCertificates(b behavior) behavior {
	return func(a *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
		if m.Kind == codec.KindCertificate {
			return b(a, m, answer)
		}
		return answer()
	}
}

// TestNumberUsed: the order in this wallet lost against another one of the same number.
func TestNumberUsed(t *testing.T) {
	payee := testKey(50).Public()
	for _, settled := range []bool{true, false} {
		w := newWorld(t, 4)
		c, accounts := w.client(t, 1, true)
		a := accounts[0]
		a.Pending = testOrder(testKey(1), payee, 10, 0)
		if settled {
			w.pay(t, testKey(1), payee, 33, 0, 0, 1, 2)
		} else { // a quorum has voted for the other one
			for i := range 3 {
				w.authorities[i].handle(codec.AppendOrder(nil, testOrder(testKey(1), payee, 33, 0)))
			}
		}
		if b, err := c.QueryBalance(t.Context(), a.Address); err != nil || b != 67 {
			t.Errorf("balance %d, %v", b, err)
		}
		if !a.Pending.IsZero() || a.NextSequenceNumber != 1 {
			t.Errorf("pending %v, next %d", !a.Pending.IsZero(), a.NextSequenceNumber)
		}
		c.Close()
	}
}

// TestNotSettled: everyone votes, and then nobody takes the certificate. The payment is in the wallet, and the next
// command settles it.
func TestNotSettled(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	for _, a := range w.authorities {
		a.set(onCertificates(refuses(codec.WrongShard)))
	}
	certificate, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{})
	if !errors.Is(err, ErrNotSettled) {
		t.Fatalf("error %v", err)
	}
	w.certifies(t, certificate)
	wallet := reopen(t, c)
	a, b := wallet.Account(&accounts[0].Address), wallet.Account(&accounts[1].Address)
	if a.NextSequenceNumber != 1 || a.Balance != codec.NewBalance(90) || a.Pending.IsZero() || len(b.Received) != 0 {
		t.Fatalf("the wallet has next %d, balance %s, pending %v", a.NextSequenceNumber, a.Balance, !a.Pending.IsZero())
	}
	for _, a := range w.authorities {
		a.set(honest)
	}
	c.wallet = wallet
	if balance, err := c.QueryBalance(t.Context(), a.Address); err != nil || balance != 90 {
		t.Errorf("balance %d, %v", balance, err)
	}
	if !a.Pending.IsZero() || b.Balance != codec.NewBalance(110) || w.balance(2, b.Address) != "110" {
		t.Errorf("pending %v, recipient %s", !a.Pending.IsZero(), b.Balance)
	}
	c.Close()
}

// TestQueryBalance answers a complete account from the wallet, with all authorities gone, and an incomplete one with what
// they have.
func TestQueryBalance(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	for n := range uint64(200) {
		w.pay(t, testKey(1), testKey(9).Public(), n%2, n, 0, 1, 2, 3)
	}
	kept := w.certificate(testOrder(testKey(1), testKey(9).Public(), 1, 101))
	accounts[0].NextSequenceNumber = 200
	accounts[0].Sent = []codec.Certificate{kept}
	accounts[0].Balance = codec.NewBalance(99)
	if b, err := c.QueryBalance(t.Context(), accounts[0].Address); err != nil || b != 0 || !accounts[0].Complete() {
		t.Errorf("balance %d, complete %v, %v", b, accounts[0].Complete(), err)
	}
	if b, err := c.CommitteeBalance(t.Context(), testKey(9).Public()); err != nil || b != codec.NewBalance(100) {
		t.Errorf("committee's balance %s, %v", b, err)
	}
	for _, a := range w.authorities {
		a.set(silent)
	}
	if b, err := c.QueryBalance(t.Context(), accounts[1].Address); err != nil || b != 100 {
		t.Errorf("balance %d, %v", b, err)
	}
	if _, err := c.QueryBalance(t.Context(), testKey(9).Public()); !errors.Is(err, ErrUnknownAccount) {
		t.Errorf("error %v", err)
	}
	c.Close()
}

// TestReceive finds payments by strangers, settles them at a quorum, and counts each once.
func TestReceive(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 1, true)
	a := accounts[0]
	for k := range byte(2) {
		w.fund(t, testKey(100+k).Public(), 50)
		w.pay(t, testKey(100+k), a.Address, 20, 0, 0, 1, 2)
		w.pay(t, testKey(100+k), a.Address, 3, 1, 2) // one authority alone has settled it so far
	}
	w.authorities[0].set(silent)
	for range 2 {
		if _, err := c.Receive(t.Context(), a.Address); err != nil {
			t.Fatal(err)
		}
		if a.Balance != codec.NewBalance(146) || len(a.Received) != 4 {
			t.Fatalf("balance %s, %d certificates", a.Balance, len(a.Received))
		}
	}
	c.Close()
	if got := w.balance(1, a.Address); got != "146" {
		t.Errorf("authority 1 has %s", got)
	}
	if b := reopen(t, c).Account(&a.Address); b.Balance != codec.NewBalance(146) || len(b.Received) != 4 {
		t.Errorf("the wallet has %s", b.Balance)
	}
}

func TestCreateAccounts(t *testing.T) {
	w := newWorld(t, 4)
	c, _ := w.client(t, 0, false)
	addresses, err := c.CreateAccounts(50, codec.NewBalance(7))
	if err != nil || len(addresses) != 50 {
		t.Fatalf("%d accounts, %v", len(addresses), err)
	}
	wallet := reopen(t, c)
	for i := range addresses {
		if a := wallet.Account(&addresses[i]); a == nil || a.Balance != codec.NewBalance(7) {
			t.Errorf("account %d is not in the file", i)
		}
	}
	for line := range strings.Lines(string(readFile(t, c.wallet.Path()))) {
		if !strings.HasSuffix(line, `,"next_sequence_number":0,"balance":7,"sent_certificates":[],"received_certificates":[]}`+"\n") {
			t.Errorf("line %s", line)
		}
	}
}
