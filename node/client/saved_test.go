package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// TestKilledBetweenSettlementAndSave kills the client after a quorum has settled its payment, while nobody has a vote or the
// certificate any more to show: records are removed. The wallet alone must be enough to go on.
func TestKilledBetweenSettlementAndSave(t *testing.T) {
	w := newWorld(t, 4)
	path := filepath.Join(t.TempDir(), "accounts.json")
	c, accounts := w.clientAt(t, path, 2, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var settling atomic.Bool
	for _, a := range w.authorities {
		a.set(func(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
			if m.Kind == codec.KindCertificate {
				settling.Store(true)
			}
			return answer()
		})
	}
	c.wallet.step = func(string) error {
		if settling.Load() { // nothing is written any more
			return errCrash
		}
		return nil
	}
	if _, err := c.Transfer(ctx, accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{}); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	c.stragglers.Wait()
	os.Remove(path + lockSuffix)
	c.wallet.lock.Close()
	for i, a := range w.authorities {
		a.set(noCertificates)
		if b := w.balance(i, accounts[0].Address); b != "90" {
			t.Fatalf("authority %d has not settled it: %s", i, b)
		}
	}

	c, accounts = w.clientAt(t, path, 2, false)
	if a := accounts[0]; a.Pending.IsZero() || len(a.Sent) != 1 {
		t.Fatalf("the wallet has pending %v and %d certificates", !a.Pending.IsZero(), len(a.Sent))
	}
	if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 20, codec.UserData{}); err != nil {
		t.Fatalf("after the crash: %v", err)
	}
	c.Close()
	wallet := reopen(t, c)
	for address, want := range map[codec.Address]string{accounts[0].Address: "2 70", accounts[1].Address: "0 130"} {
		a := wallet.Account(&address)
		if got := fmt.Sprint(a.NextSequenceNumber, a.Balance); got != want || !a.Pending.IsZero() {
			t.Errorf("the wallet has %s, want %s", got, want)
		}
	}
}

// noCertificates is an authority that has removed its oldest records: it can't show what it settled.
func noCertificates(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
	if m.Kind == codec.KindInfoRequest && (m.InfoRequest().HasSequence || m.InfoRequest().HasReceived) {
		return codec.AppendError(nil, &codec.Error{Code: codec.CertificateNotfound})
	}
	return answer()
}

// TestCertificateThatCannotBeSaved reaches no authority.
func TestCertificateThatCannotBeSaved(t *testing.T) {
	w := newWorld(t, 4)
	c, accounts := w.client(t, 2, true)
	var certificates atomic.Int64
	for _, a := range w.authorities {
		a.set(func(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
			if m.Kind == codec.KindCertificate {
				certificates.Add(1)
			}
			return answer()
		})
	}
	full := errors.New("no space left on device")
	saves := 0
	c.wallet.step = func(name string) error {
		if name == "create" {
			saves++
		}
		if saves > 1 {
			return full
		}
		return nil
	}
	for range 2 { // also not by the next command, while the disk is full
		_, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 10, codec.UserData{})
		if !errors.Is(err, ErrPending) || !errors.Is(err, full) || certificates.Load() > 0 {
			t.Errorf("error %v, and %d certificates were sent", err, certificates.Load())
		}
	}
	c.wallet.step = func(string) error { return nil }
	if _, err := c.Transfer(t.Context(), accounts[0].Address, payTo(accounts[1].Address), 5, codec.UserData{}); err != nil {
		t.Fatal(err)
	}
	if b, err := c.QueryBalance(t.Context(), accounts[0].Address); err != nil || b != 85 {
		t.Errorf("balance %d, %v", b, err)
	}
	c.Close()
}

// TestBenchmarkSavesCertificates kills a benchmark as the first certificate leaves: all of them are in the file.
func TestBenchmarkSavesCertificates(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, list := s.networked(t, 20, 2*time.Second)
	var settling atomic.Bool
	for _, a := range s.authorities {
		a.set(func(_ *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
			if m.Kind == codec.KindCertificate {
				settling.Store(true)
			}
			return answer()
		})
	}
	saves := 0
	c.wallet.step = func(name string) error {
		if settling.Load() {
			return errCrash
		}
		if name == "create" {
			saves++
		}
		return nil
	}
	if _, err := c.Benchmark(t.Context(), BenchmarkOptions{}); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	if saves != 2 {
		t.Errorf("%d saves, want one of all orders and one of all certificates", saves)
	}
	c.Close()
	wallet := reopen(t, c)
	for _, a := range list {
		if b := wallet.Account(&a.Address); b.Pending.IsZero() || len(b.Sent) != 1 {
			t.Errorf("pending %v and %d certificates", !b.Pending.IsZero(), len(b.Sent))
		}
	}
	for _, a := range s.authorities {
		a.set(noCertificates)
	}
	c.wallet = wallet
	if result, err := c.Benchmark(t.Context(), BenchmarkOptions{}); err != nil || result.Settled != 20 || result.Orders.Orders != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if err := wallet.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkSave is what each save adds to a transfer, and to a benchmark of all accounts, each with a certificate.
func BenchmarkSave(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("accounts=%d", n), func(b *testing.B) {
			w := newWorld(b, 4)
			wallet := openWallet(b, filepath.Join(b.TempDir(), "accounts.json"))
			for i := range n {
				key := crypto.NewPrivateKey(&[32]byte{1, byte(i), byte(i >> 8)})
				a, err := wallet.Add(key, codec.NewBalance(100))
				if err != nil {
					b.Fatal(err)
				}
				if err := a.addSent(w.certificate(testOrder(key, a.Address, 1, 0))); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if err := wallet.Save(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
