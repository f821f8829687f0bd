package bench

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"fastpay/crypto"
	"fastpay/node/committee"
)

// delayLine is a bad way to an authority, in user space: what is sent arrives later, and some of it much later, as TCP
// makes of a segment that is lost, and of all that follow it.
type delayLine struct {
	toNode, toPeer time.Duration
	loss           float64 // of segments, 0 to 1
	host           string
	base           int
	ports          listeners
}

const (
	segment       = 16 << 10 // bytes that are lost together, as the network card's batches are
	retransmitted = 200 * time.Millisecond
	// delayed is how many segments are under way in one direction: enough for a window of certificates; beyond it the
	// sender waits, as it does when a network's buffers are full.
	delayed = 1024
)

// start listens on ports from public on, and hands on to those from base on.
func (l *delayLine) start(public, shards int) error {
	return l.ports.listen(l.host, public, shards, l.serve)
}

func (l *delayLine) serve(c net.Conn, shard int) {
	up, err := net.Dial("tcp", net.JoinHostPort(l.host, strconv.Itoa(l.base+shard)))
	if err != nil || !l.ports.hold(up) {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.carry(c, up, l.toPeer)
	}()
	l.carry(up, c, l.toNode)
	<-done
	l.ports.release(up)
}

// parcel is a segment under way.
type parcel struct {
	bytes []byte
	due   time.Time
}

// carry hands on until one side closes, and then closes both.
func (l *delayLine) carry(to, from net.Conn, late time.Duration) {
	defer to.Close()
	defer from.Close()
	parcels := make(chan parcel, delayed)
	go func() {
		defer close(parcels)
		last := time.Time{}
		for {
			b := make([]byte, segment)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			due := time.Now().Add(late)
			if l.loss > 0 && rand.Float64() < l.loss {
				due = due.Add(retransmitted)
			}
			if due.Before(last) { // in order, so behind what is sent again
				due = last
			}
			last = due
			parcels <- parcel{b[:n], due}
		}
	}()
	deliver(parcels, func(b []byte) {
		if _, err := to.Write(b); err != nil {
			_ = from.Close()
		}
	})
}

// deliver hands on each parcel when it is due.
func deliver(parcels <-chan parcel, send func([]byte)) {
	clock, err := newAlarm()
	if err == nil {
		defer clock.close()
	}
	for p := range parcels {
		if err != nil || clock.wait(p.due) != nil {
			time.Sleep(time.Until(p.due)) // a little late, and not never
		}
		send(p.bytes)
	}
}

// isFronted reports whether something stands before the authority.
func (s *authoritySpec) isFronted() bool { return s.Fault != nil || s.Delay > 0 || s.Loss > 0 }

// putFronts puts what the specification asks for before the authority, the outermost on the authority's public ports.
func (a *localAuthority) putFronts() error {
	s, base := &a.spec, a.port
	if !s.isFronted() {
		return nil
	}
	late := time.Duration(0)
	byzantine := s.Fault != nil && s.Fault.Kind != Slow
	if s.Fault != nil && s.Fault.Kind == Slow {
		late = s.Fault.Late
	}
	lined := late > 0 || s.Delay > 0 || s.Loss > 0
	public := s.Port
	for i, put := range []bool{byzantine, lined} {
		if !put {
			continue
		}
		port := public
		if port == 0 || i == 0 && lined {
			var err error
			if port, err = freePorts(s.Host, s.NumShards); err != nil {
				return errors.Join(err, a.stop())
			}
		}
		front, err := a.putFront(i == 0, port, base, late)
		if err != nil {
			return errors.Join(err, a.stop())
		}
		a.fronts = append([]*listeners{front}, a.fronts...)
		base = port
	}
	a.port = base
	return nil
}

func (a *localAuthority) putFront(byzantine bool, port, base int, late time.Duration) (*listeners, error) {
	s := &a.spec
	if byzantine {
		f, err := startFront(s.Fault.Kind, crypto.NewPrivateKey(&s.Seed), s.Host, port, base, s.NumShards)
		return &f.ports, err
	}
	l := &delayLine{toNode: s.Delay, toPeer: s.Delay + late, loss: s.Loss, host: s.Host, base: base}
	if err := l.start(port, s.NumShards); err != nil || s.Protocol != committee.UDP {
		return &l.ports, err
	}
	return &l.ports, l.startDatagrams(port, s.NumShards)
}
