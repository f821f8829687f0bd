package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fastpay/codec"
	"fastpay/node/committee"
)

// TestBenchmark runs the benchmark twice over each protocol, with and without loss, and with an authority that is down.
func TestBenchmark(t *testing.T) {
	const accounts = 60
	for _, s := range []struct {
		name     string
		protocol committee.Protocol
		loss     float64
		down     []int
		behind   bool
	}{
		{name: "tcp", protocol: committee.TCP},
		{name: "udp", protocol: committee.UDP},
		{name: "udp with loss", protocol: committee.UDP, loss: 0.05},
		{name: "tcp, one down", protocol: committee.TCP, down: []int{2}},
		{name: "udp, one down", protocol: committee.UDP, down: []int{2}},
		{name: "tcp, one that lags", protocol: committee.TCP, behind: true},
		{name: "udp, one that lags", protocol: committee.UDP, behind: true},
	} {
		t.Run(s.name, func(t *testing.T) {
			world := serve(t, 4, s.protocol, s.down...)
			if s.loss > 0 {
				world.lose(s.loss)
			}
			c, list := world.networked(t, accounts, 4*time.Second)
			up := 4 - len(s.down)
			for round := range 2 {
				if s.behind && round == 0 {
					world.authorities[3].set(onCertificates(refuses(codec.WrongShard)))
				} else {
					world.authorities[3].set(honest)
				}
				var lines []string
				report := func(_ slog.Level, line string) { lines = append(lines, line) }
				result, err := c.Benchmark(t.Context(), BenchmarkOptions{MaxInFlight: 20, Report: report})
				if err != nil {
					t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
				}
				votes := accounts * up
				if s.behind && round == 1 {
					votes = accounts * 3
				}
				if result.ValidVotes != votes || result.Certificates != accounts || result.Settled != accounts ||
					result.Orders.PerSecond() == 0 {
					t.Errorf("round %d: %+v\n%s", round, result, strings.Join(lines, "\n"))
				}
				if result.Retransmitted == 0 && s.loss > 0 {
					t.Error("nothing was sent again")
				}
				for _, want := range []string{"Broadcasting 60 transfer orders", fmt.Sprintf("Received %d valid votes.", votes),
					"Estimated server throughput: ", " valid confirmations for 60 transfers.", "Saved client account state"} {
					if !strings.Contains(strings.Join(lines, "\n"), want) {
						t.Errorf("no line has %q", want)
					}
				}
			}
			c.Close()
			wallet := reopen(t, c)
			for _, a := range list {
				b := wallet.Account(&a.Address)
				if b.NextSequenceNumber != 2 || b.Balance != codec.NewBalance(100) || len(b.Received) != 2 ||
					!b.Complete() || !b.Pending.IsZero() {
					t.Fatalf("the wallet has next %d, balance %s, %d received", b.NextSequenceNumber, b.Balance, len(b.Received))
				}
				if got := world.balance(3, a.Address); got != "100" {
					t.Errorf("authority 3 has %s", got)
				}
			}
		})
	}
}

// TestBenchmarkServerKeys makes the certificates from the servers' keys although no votes come back.
func TestBenchmarkServerKeys(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, _ := s.networked(t, 10, time.Second)
	for _, a := range s.authorities {
		a.set(func(a *fakeAuthority, m *codec.Message, answer func() []byte) []byte {
			if m.Kind == codec.KindOrder {
				return codec.AppendError(nil, &codec.Error{Code: codec.WrongShard})
			}
			return answer()
		})
	}
	o := BenchmarkOptions{MaxOrders: 5}
	for i := range 3 {
		o.ServerKeys = append(o.ServerKeys, authorityKey(i))
	}
	result, err := c.Benchmark(t.Context(), o)
	if err != nil || result.Settled != 5 || result.ValidVotes != 0 || result.Orders.Errors["Wrong shard used."] != 20 {
		t.Errorf("%+v, %v", result, err)
	}
	for _, bad := range [][]int{{0, 1}, {0, 1, 1}, {0, 1, 9}} {
		o.ServerKeys = nil
		for _, i := range bad {
			o.ServerKeys = append(o.ServerKeys, authorityKey(i))
		}
		if _, err := c.Benchmark(t.Context(), o); err == nil {
			t.Errorf("server keys %v were taken", bad)
		}
	}
}

// TestBenchmarkInterrupted stops benchmarks in each phase; the next one finishes what was signed.
func TestBenchmarkInterrupted(t *testing.T) {
	for _, protocol := range protocols {
		for _, phase := range []string{"orders", "confirmations", "one settled them"} {
			t.Run(protocol.String()+" "+phase, func(t *testing.T) {
				s := serve(t, 4, protocol)
				c, list := s.networked(t, 20, 250*time.Millisecond)
				for i, a := range s.authorities {
					switch {
					case phase == "orders":
						a.set(mute)
					case phase == "confirmations" || i >= 2:
						a.set(onCertificates(mute))
					}
				}
				if phase == "confirmations" { // mute also acts: nothing may come of it here
					for _, a := range s.authorities {
						a.set(onCertificates(silent))
					}
				}
				start := time.Now()
				result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
				if err == nil || result.Settled != 0 || !strings.HasPrefix(err.Error(), noQuorum+": ") {
					t.Errorf("%+v, %v", result, err)
				}
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				signed := make(map[codec.Address]string)
				for _, a := range list {
					if a.Pending.IsZero() {
						t.Fatal("nothing pending")
					}
					signed[a.Address] = string(a.Pending.Bytes())
				}
				for _, a := range s.authorities {
					a.set(honest)
				}
				if result, err = c.Benchmark(t.Context(), BenchmarkOptions{}); err != nil || result.Settled != 20 {
					t.Fatalf("%+v, %v", result, err)
				}
				for _, a := range list {
					if string(a.Sent[0].Order().Bytes()) != signed[a.Address] || a.NextSequenceNumber != 1 ||
						a.Balance != codec.NewBalance(100) {
						t.Errorf("next %d, balance %s", a.NextSequenceNumber, a.Balance)
					}
				}
			})
		}
	}
}

// TestBenchmarkDown ends soon, with a clear error, when all servers are down.
func TestBenchmarkDown(t *testing.T) {
	for _, protocol := range protocols {
		s := serve(t, 4, protocol, 0, 1, 2, 3)
		c, _ := s.networked(t, 20, 2*time.Second)
		start := time.Now()
		result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
		if err == nil || !strings.Contains(err.Error(), "Connection refused (os error 111)") {
			t.Errorf("%v: %v", protocol, err)
		}
		if result.Orders.Orders != 20 || result.Orders.PerSecond() != 0 {
			t.Errorf("%v: %d orders a second were answered by nobody", protocol, result.Orders.PerSecond())
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%v: took %v", protocol, took)
		}
	}
}

func TestBenchmarkWithoutMoney(t *testing.T) {
	s := serve(t, 4, committee.TCP)
	c, list := s.networked(t, 1, time.Second)
	list[0].Balance = codec.Balance{}
	result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
	if err == nil || !strings.Contains(err.Error(), "none of the 1 accounts") || result.Skipped != 1 {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestBenchmarkRecovers finds the certificates of pending orders that were settled without this wallet's knowledge.
func TestBenchmarkRecovers(t *testing.T) {
	s := serve(t, 4, committee.UDP)
	c, list := s.networked(t, 3, 2*time.Second)
	for i, a := range list {
		a.Pending = testOrder(testKey(byte(i+1)), testKey(50).Public(), 10, 0)
		if i < 2 {
			s.pay(t, testKey(byte(i+1)), testKey(50).Public(), uint64(10+i), 0, 0, 1, 2) // the second is another payment
		}
	}
	result, err := c.Benchmark(t.Context(), BenchmarkOptions{})
	if err != nil || result.Certificates != 3 || result.Settled != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	for i, want := range []uint64{90, 89, 90} {
		if a := list[i]; a.Balance != codec.NewBalance(want) || !a.Pending.IsZero() || a.NextSequenceNumber != 1 {
			t.Errorf("account %d: balance %s, next %d", i, a.Balance, a.NextSequenceNumber)
		}
	}
}

// TestBenchmarkCanceled ends a benchmark in the middle, as Ctrl-C does: soon, with all that was signed in the wallet.
func TestBenchmarkCanceled(t *testing.T) {
	for _, protocol := range protocols {
		s := serve(t, 4, protocol)
		c, list := s.networked(t, 20, time.Minute)
		for _, a := range s.authorities {
			a.set(mute)
		}
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		result, err := c.Benchmark(ctx, BenchmarkOptions{Report: func(_ slog.Level, line string) {
			if strings.HasPrefix(line, "Broadcasting") {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
		}})
		cancel()
		if len(result.Orders.Errors) != 1 || result.Orders.Errors[ioError(errGivenUp).Error()] != 20*4 {
			t.Errorf("errors %v", result.Orders.Errors)
		}
		if took := time.Since(start); !errors.Is(err, context.Canceled) || took > 2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		c.Close()
		wallet := reopen(t, c)
		for _, a := range list {
			if b := wallet.Account(&a.Address); b.Pending.IsZero() || !sameTransfer(a.Pending, b.Pending) {
				t.Fatal("an order is not in the wallet")
			}
		}
	}
}
