package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/node/client"
	"fastpay/node/committee"
	"fastpay/perf"
)

// TransferOptions describe a measurement of single transfers on an idle committee.
type TransferOptions struct {
	Protocol      committee.Protocol
	CommitteeSize int
	Transfers     int      // measured, one after the other; a tenth more go before them
	Command       []string // to be kept with the result

	// Durability is that of the authorities, "" for none. If it is another one, a second committee with none takes turns
	// with the first, transfer by transfer, and the disk is tried in between.
	Durability string
	DataDir    string // where journals are made, and removed afterwards; by default in the user's cache folder
}

// MaxTransferCommittee bounds the authorities that run in one process.
const MaxTransferCommittee = 40

// TransferLatency is how long a payer waits on an idle committee, in microseconds.
type TransferLatency struct {
	Protocol      string           `json:"protocol"`
	CommitteeSize int              `json:"committee_size"`
	Transfers     int              `json:"transfers"`
	Certificate   Percentiles      `json:"certificate_us"` // from the first byte of the order sent to a verified certificate
	Settled       Percentiles      `json:"settled_us"`     // the same to its settlement by a quorum
	Environment   perf.Environment `json:"environment"`
	Command       []string         `json:"command,omitempty"` // that repeats it

	Durability string         `json:"durability"`
	Memory     *MemoryLatency `json:"memory,omitempty"` // nil: Durability is none
}

// MemoryLatency is how long the same takes on a committee that keeps nothing, and what a sync of the disk takes.
type MemoryLatency struct {
	Certificate Percentiles `json:"certificate_us"`
	Settled     Percentiles `json:"settled_us"`
	SyncP50Us   float64     `json:"sync_p50_us"` // 4 KiB written and synced, median of tries in between
	FileSystem  string      `json:"file_system"`
}

// AddedSyncs is by how many syncs of the disk the median got longer: to the certificate, and to settlement for each of
// the two replies on the way.
func (l *TransferLatency) AddedSyncs() (certificate, settled float64, ok bool) {
	m := l.Memory
	if m == nil || m.SyncP50Us == 0 || l.Certificate.P50 == nil || m.Certificate.P50 == nil || m.Settled.P50 == nil {
		return 0, 0, false
	}
	added := func(with, without *int64) float64 { return float64(*with-*without) / m.SyncP50Us }
	return added(l.Certificate.P50, m.Certificate.P50), added(l.Settled.P50, m.Settled.P50) / 2, true
}

// RunTransfers runs a committee in this process, behind sockets on loopback, and makes transfers one after the other with
// the client's quorum driver: the order to all authorities, votes of a quorum verified, the certificate to all, answers of
// a quorum. That the payer asks for its number first, and saves its order, is not in the figures.
func RunTransfers(ctx context.Context, o TransferOptions) (*TransferLatency, error) {
	if o.Transfers < 10 || o.CommitteeSize < 1 || o.CommitteeSize > MaxTransferCommittee {
		return nil, fmt.Errorf("bench: %d transfers on a committee of %d: expected at least 10, and 1 to %d authorities",
			o.Transfers, o.CommitteeSize, MaxTransferCommittee)
	}
	o.Durability = cmp.Or(o.Durability, string(node.DurabilityNone))
	dir, remove, err := (&Options{Durability: o.Durability, DataDir: o.DataDir}).makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	one, err := startTransfers(o, o.Durability, dir)
	if err != nil {
		return nil, err
	}
	defer one.stop()
	l := &TransferLatency{Protocol: strings.ToLower(o.Protocol.String()), CommitteeSize: o.CommitteeSize, Transfers: o.Transfers,
		Durability: o.Durability, Environment: perf.NewEnvironment(crypto.Backend()), Command: o.Command}
	if dir == "" {
		for i := range o.all() {
			if err := one.next(ctx, i >= o.warmUp()); err != nil {
				return nil, err
			}
		}
	} else if l.Memory, err = o.inTurn(ctx, one, dir); err != nil {
		return nil, err
	}
	l.Certificate, l.Settled = percentiles(one.certificate), percentiles(one.settled)
	return l, nil
}

func (o *TransferOptions) warmUp() int { return o.Transfers / 10 }

func (o *TransferOptions) all() int { return o.Transfers + o.warmUp() }

// syncTries is how often the disk is tried for syncTry each.
const (
	syncTries = 10
	syncTry   = 50 * time.Millisecond
)

// inTurn makes transfers on a committee, and on one without a journal in turn.
func (o *TransferOptions) inTurn(ctx context.Context, one *transfers, dir string) (*MemoryLatency, error) {
	other, err := startTransfers(*o, string(node.DurabilityNone), "")
	if err != nil {
		return nil, err
	}
	defer other.stop()
	runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0)) // there are twice as many loops; other.stop takes it back
	var syncs []float64
	for i := range o.all() {
		if i%max(o.all()/syncTries, 1) == 0 {
			took, err := perf.SyncLatency(dir, syncTry)
			if err != nil {
				return nil, err
			}
			syncs = append(syncs, took.P50Us)
		}
		for _, t := range []*transfers{one, other} {
			if err := t.next(ctx, i >= o.warmUp()); err != nil {
				return nil, err
			}
		}
	}
	return &MemoryLatency{Certificate: percentiles(other.certificate), Settled: percentiles(other.settled),
		SyncP50Us: median(syncs), FileSystem: perf.FileSystem(dir)}, nil
}

// memberKey is a key that follows from its place.
func memberKey(kind byte, i int) *crypto.PrivateKey {
	seed := [crypto.SeedSize]byte{'t', 'r', 'a', 'n', 's', 'f', 'e', 'r', kind, byte(i)}
	return crypto.NewPrivateKey(&seed)
}

// transfers is a committee and one payer.
type transfers struct {
	committee *committee.Committee
	network   *client.Network
	payer     *crypto.PrivateKey
	payee     codec.Address
	stop      func()

	made                 uint64 // transfers
	certificate, settled *hdrhistogram.Histogram
}

// startTransfers starts a committee, with its journals in dir.
func startTransfers(o TransferOptions, durability, dir string) (t *transfers, err error) {
	t = &transfers{payer: memberKey('p', 0), payee: memberKey('p', 1).Public(),
		certificate: hdrhistogram.New(1, latencyMaxUs, latencyDigits), settled: hdrhistogram.New(1, latencyMaxUs, latencyDigits)}
	t.stop, err = t.start(o, durability, dir)
	return t, err
}

// next makes a transfer, and counts how long it took if it is measured.
func (t *transfers) next(ctx context.Context, measured bool) error {
	made, done, err := t.once(ctx, t.made)
	if err != nil {
		return fmt.Errorf("bench: transfer %d: %w", t.made, err)
	}
	t.made++
	if measured {
		_ = t.certificate.RecordValue(min(made.Microseconds(), latencyMaxUs))
		_ = t.settled.RecordValue(min(done.Microseconds(), latencyMaxUs))
	}
	return nil
}

// start runs all authorities, each with one shard.
func (t *transfers) start(o TransferOptions, durability, dir string) (stop func(), err error) {
	var members []committee.Member
	var keys []*crypto.PrivateKey
	base, err := freePorts("127.0.0.1", o.CommitteeSize)
	if err != nil {
		return nil, err
	}
	for i := range o.CommitteeSize {
		keys = append(keys, memberKey(durability[0], i)) // other authorities than those of another durability
		members = append(members, committee.Member{Name: keys[i].Public(), Weight: 1, Protocol: o.Protocol,
			Host: "127.0.0.1", BasePort: base + i, NumShards: 1})
	}
	if t.committee, err = committee.New(members); err != nil {
		return nil, err
	}
	var nodes []*node.Node
	procs := runtime.GOMAXPROCS(0)
	stop = func() {
		runtime.GOMAXPROCS(procs)
		if t.network != nil {
			t.network.Close()
		}
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() { _ = n.Stop(context.Background()) })
		}
		all.Wait()
	}
	for i := range members {
		n, err := node.Start(node.Options{
			Committee: t.committee, Member: members[i], Key: keys[i], BindHost: "127.0.0.1", Pin: "off",
			Logger: slog.New(slog.DiscardHandler), Durability: node.Durability(durability), DataDir: dir,
			Accounts: func(yield func(codec.Address, codec.Balance) bool) {
				_ = yield(t.payer.Public(), codec.NewBalance(1<<40)) && yield(t.payee, codec.Balance{})
			},
		})
		if err != nil {
			stop()
			return nil, err
		}
		nodes = append(nodes, n)
	}
	// As the servers set it: one for each event loop, which is locked to its thread, and two for everything else. With fewer
	// a loop that wakes up waits until another one's thread is taken out of its system call.
	workers := 0
	for _, n := range nodes {
		workers += n.Workers()
	}
	runtime.GOMAXPROCS(max(workers+2, procs))
	t.network = client.NewNetwork(t.committee, time.Second, 4*time.Second, codec.DefaultMaxMessage)
	return stop, nil
}

// once makes the transfer with this number, and says when there was a certificate and when a quorum had settled it.
func (t *transfers) once(ctx context.Context, number uint64) (made, done time.Duration, err error) {
	tr := codec.Transfer{Sender: t.payer.Public(), Recipient: codec.Recipient{Kind: codec.FastPay, Address: t.payee},
		Amount: 1, SequenceNumber: number}
	var signature crypto.Signature
	t.payer.Sign(&signature, tr.AppendSignedBytes(nil))
	survey := client.NewSurvey(t.committee, &tr.Sender)
	if _, err := t.drive(ctx, survey, time.Now()); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	certify := client.NewCertify(t.committee, codec.NewOrder(&tr, &signature), nil, nil, survey)
	if made, err = t.drive(ctx, certify, began); err != nil {
		return 0, 0, err
	}
	done, err = t.drive(ctx, client.NewSettle(t.committee, certify.Certificate(), nil), began)
	return made, done, err
}

// drive carries a driver out to the end, and says after how long it was decided.
func (t *transfers) drive(ctx context.Context, d *client.Driver, began time.Time) (decided time.Duration, err error) {
	type outcome struct {
		id    int
		reply []byte
		err   error
	}
	outcomes := make(chan outcome, t.committee.Len())
	for !d.Idle() {
		for _, r := range d.Requests() {
			go func() {
				reply, err := t.network.Exchange(ctx, r.Authority, &r.Account, r.Message)
				outcomes <- outcome{r.ID, reply, err}
			}()
		}
		if d.Idle() {
			break
		}
		if o := <-outcomes; o.err != nil {
			d.Fail(o.id, o.err)
		} else {
			d.Reply(o.id, o.reply)
		}
		if d.Done() && decided == 0 {
			decided = time.Since(began)
		}
	}
	return decided, d.Err()
}

// WriteText says it in a few lines.
func (l *TransferLatency) WriteText(out io.Writer) error {
	_, err := fmt.Fprintf(out, "Transfers on an idle committee of %d over %s, one after the other: %d, in one process on loopback\n"+
		" Order to certificate:  %s\n Order to settled:      %s\n", l.CommitteeSize, strings.ToUpper(l.Protocol), l.Transfers, l.Certificate,
		l.Settled)
	if certificate, settled, ok := l.AddedSyncs(); ok && err == nil {
		_, err = fmt.Fprintf(out, " In turn, without a journal:\n Order to certificate:  %s\n Order to settled:      %s\n"+
			" Added at the median:   %.2f syncs to the certificate, %.2f to each of two replies to settled; a sync takes %.0f µs\n",
			l.Memory.Certificate, l.Memory.Settled, certificate, settled, l.Memory.SyncP50Us)
	}
	return err
}

// WriteFile writes it as JSON.
func (l *TransferLatency) WriteFile(name string) error {
	return writeJSON(name, l)
}

// ReadTransferLatency reads what WriteFile wrote.
func ReadTransferLatency(name string) (*TransferLatency, error) {
	l := new(TransferLatency)
	if err := readJSON(name, l); err != nil {
		return nil, err
	}
	if l.Certificate.P50 == nil || l.Settled.P50 == nil {
		return nil, fmt.Errorf("bench: %s is not a result of transfers: it has no median", name)
	}
	return l, nil
}
