package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fastpay/codec"
	"fastpay/node/committee"
)

// RecoveryTime is the start of an authority that was killed under way, from what it left on the disk, which the kernel was told
// to forget before.
type RecoveryTime struct {
	StartSeconds    float64 `json:"start_seconds"` // of the process, to every port accepting
	SnapshotSeconds float64 `json:"snapshot_seconds"`
	Records         uint64  `json:"records"` // replayed after the snapshot
	Bytes           int64   `json:"bytes"`   // of their groups
	ReplaySeconds   float64 `json:"replay_seconds"`
	FromDisk        bool    `json:"from_disk"` // the kernel did as it was told
	SameBooks       bool    `json:"same_books"`

	// Certificates that were asked for after it, one at a time, chosen at random, of random accounts: in µs.
	Certificates int         `json:"certificates"`
	ColdUs       Percentiles `json:"cold_us"`  // the first time
	AgainUs      Percentiles `json:"again_us"` // once more
	PlainUs      Percentiles `json:"plain_us"` // info requests without a certificate, for comparison
}

// askedCertificates are asked for to see what reading them back takes.
const askedCertificates = 1000

// recover starts the authority again, whose process was killed after its books were read, and compares what it tells.
func (r *measured) recover(spec authoritySpec, stderr io.Writer) (t *RecoveryTime, err error) {
	t = new(RecoveryTime)
	_, forgotten, err := forget(spec.DataDir)
	if err != nil {
		return nil, fmt.Errorf("bench: restart: %w", err)
	}
	t.FromDisk = forgotten == nil
	a, err := startChild(spec, r.made.accounts, stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.stop()) }()
	found := a.found
	t.StartSeconds, t.SnapshotSeconds = a.startedIn().Seconds(), found.SnapshotTook.Seconds()
	t.Records, t.Bytes, t.ReplaySeconds = found.Records, found.Bytes, (found.Took - found.SnapshotTook).Seconds()
	books, err := readBooks(r.Host, a.basePort(), r.made.lanes, r.made.workload, r.RecvTimeout)
	if err != nil {
		return nil, err
	}
	if t.SameBooks = books == r.books; !t.SameBooks {
		return nil, &RunError{ExitUnconserved, "after a restart the accounts are not as they were"}
	}
	q, err := dialQuestioner(r, a.basePort())
	if err != nil {
		return nil, err
	}
	defer q.close()
	return t, q.ask(t)
}

// RecordsPerSec is how many records were replayed in a second, BytesPerSec how many bytes of them.
func (t *RecoveryTime) RecordsPerSec() float64 { return ratio(float64(t.Records), t.ReplaySeconds) }

// BytesPerSec is the same in bytes.
func (t *RecoveryTime) BytesPerSec() float64 { return ratio(float64(t.Bytes), t.ReplaySeconds) }

func (t *RecoveryTime) writeText(b *strings.Builder) {
	line(b, "Restart after a kill", "%.2f s: snapshot %.2f s; %s records, %.0f MiB in %.2f s: %s records/s, %.2f GB/s", t.StartSeconds,
		t.SnapshotSeconds, grouped(int(t.Records)), float64(t.Bytes)/(1<<20), t.ReplaySeconds, grouped(int(t.RecordsPerSec())),
		t.BytesPerSec()/1e9)
	line(b, "... certificates", "%s; again %s; without one %s", t.ColdUs, t.AgainUs, t.PlainUs)
}

// A questioner asks for one thing after the other, over a connection to each shard.
type questioner struct {
	r       *measured
	conns   []net.Conn
	readers []*bufio.Reader
	out, in []byte
	message codec.Message
}

func dialQuestioner(r *measured, base int) (*questioner, error) {
	q := &questioner{r: r}
	for shard := range r.NumShards {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(r.Host, strconv.Itoa(base+shard)), r.SendTimeout)
		if err != nil {
			q.close()
			return nil, fmt.Errorf("bench: restart: %w", err)
		}
		q.conns, q.readers = append(q.conns, c), append(q.readers, bufio.NewReader(c))
	}
	return q, nil
}

func (q *questioner) close() {
	for _, c := range q.conns {
		_ = c.Close()
	}
}

// ask fills in how long certificates take.
func (q *questioner) ask(t *RecoveryTime) error {
	rng := rand.New(rand.NewPCG(q.r.Seed, 3))
	var of [3]*hdrhistogram.Histogram // without a certificate, the first time, again
	for i := range of {
		of[i] = hdrhistogram.New(1, latencyMaxUs, latencyDigits)
	}
	accounts := q.r.made.workload.accounts
	for tries := 0; t.Certificates < askedCertificates && tries < 10*askedCertificates; tries++ {
		request := codec.InfoRequest{Account: accounts[rng.IntN(len(accounts))]}
		if err := q.once(&request, of[0]); err != nil {
			return err
		}
		next := q.message.InfoResponse().NextSequenceNumber
		if next == 0 {
			continue
		}
		request.HasSequence, request.Sequence = true, rng.Uint64N(next)
		for _, h := range of[1:] {
			if err := q.once(&request, h); err != nil {
				return err
			}
			if c := q.message.InfoResponse().Certificate; c.Order().SequenceNumber() != request.Sequence {
				return fmt.Errorf("bench: restart: certificate %d of an account is another one", request.Sequence)
			}
		}
		t.Certificates++
	}
	t.PlainUs, t.ColdUs, t.AgainUs = percentiles(of[0]), percentiles(of[1]), percentiles(of[2])
	return nil
}

// once asks, and leaves the answer in q.message.
func (q *questioner) once(request *codec.InfoRequest, took *hdrhistogram.Histogram) (err error) {
	shard := committee.ShardOf(&request.Account, q.r.NumShards)
	c := q.conns[shard]
	q.out = appendInfoRequest(q.out[:0], request)
	began := time.Now()
	if err := c.SetDeadline(began.Add(q.r.RecvTimeout)); err != nil {
		return err
	}
	if _, err := c.Write(q.out); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	if q.in, err = readFrame(q.readers[shard], q.in); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	_ = took.RecordValue(microseconds(time.Since(began)))
	if !q.message.Decode(q.in) || q.message.Kind != codec.KindInfoResponse {
		return fmt.Errorf("bench: restart: instead of an account: %s", describeReply(q.in))
	}
	return nil
}
