package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"fastpay/perf"
)

// siege runs attacks. What was prepared for one serves the next.
type siege struct {
	AttackOptions
	stderr io.Writer
	work   *workload
	made   *prepared
}

// besieged is one attack under way: the honest load, and who attacks.
type besieged struct {
	*siege
	attack   Attack
	d        *tcpDriver
	a        authority
	attacker *attackerProcess // nil for AttackOverload
	row      *AttackRow
	meters   []*meter
	marked   snapshot // of the authority, when it was last looked at
}

// try starts an authority, counts honest payments without and with the attack in turn, and audits its books.
func (s *siege) try(ctx context.Context, a Attack) (row *AttackRow, err error) {
	r := &measured{Options: s.Options, made: s.made, meter: newMeter(Payments)}
	r.placement = place(perf.AllowedCPUs(), s.NumShards, s.Workers)
	spec := s.spec(s.made.workload)
	spec.Workers, spec.Pin = r.workers, r.pin
	dir, remove, err := s.makeDataDir()
	if err != nil {
		return nil, err
	}
	defer remove()
	spec.DataDir = dir
	under, err := s.start(spec, s.made.accounts, s.stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopErr := under.stop(); err == nil && stopErr != nil {
			err = fmt.Errorf("bench: the authority did not survive: %w", stopErr)
		}
	}()
	b := &besieged{siege: s, attack: a, a: under, row: newAttackRow(a)}
	if a != AttackOverload {
		if b.attacker, err = startAttacker(s.attackerSpec(a, under.basePort()), s.stderr); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, b.attacker.stop()) }()
		if b.row.Skipped = b.attacker.unable; b.row.Skipped != "" {
			return b.row, nil
		}
	}
	err = onThread(func() (err error) {
		if r.generator >= 0 {
			if err := perf.PinThread(r.generator); err != nil {
				return err
			}
		}
		promptTimers()
		d, err := r.dial(under.basePort())
		if err != nil {
			return err
		}
		b.d = d.(*tcpDriver)
		return errors.Join(b.drive(ctx), d.close())
	})
	if err != nil {
		return nil, err
	}
	ended := time.Now()
	read := func() (books, error) {
		return readBooks(s.Host, under.basePort(), s.made.lanes, s.made.workload, s.RecvTimeout)
	}
	b.row.Conserved, _, err = audit(read, mintedBy(len(s.made.accounts), initialBalance), ended)
	if err != nil {
		return nil, fmt.Errorf("bench: the authority does not answer after the attack: %w", err)
	}
	b.row.judge()
	return b.row, nil
}

// drive is the course of an attack: a warm-up, and pairs of turns.
func (b *besieged) drive(ctx context.Context) error {
	if b.attack == AttackOverload {
		b.overload()
	}
	b.d.allow(-1)
	if _, err := b.turn(ctx, attackWarmUp); err != nil {
		return err
	}
	var before snapshot
	if err := stepDuring(b.d, func() (err error) { before, err = b.a.begin(); return err }); err != nil {
		return err
	}
	var err error
	if b.attack == AttackOverload {
		err = b.overloadTurns(ctx)
	} else {
		err = b.attackTurns(ctx)
	}
	if err != nil {
		return err
	}
	var after snapshot
	if err := stepDuring(b.d, func() (err error) { after, err = b.a.end(); return err }); err != nil {
		return err
	}
	b.d.allow(0)
	for b.d.waiting() > 0 {
		if err := b.d.step(); err != nil {
			return err
		}
	}
	b.row.PeakWith = after.PeakRSS
	b.row.Node = after.since(before).Stats
	for _, m := range b.meters {
		b.row.Rejected += m.rejected
		b.row.Lost += m.lost
	}
	return nil
}

func (b *besieged) attackTurns(ctx context.Context) error {
	for pair := range b.Pairs {
		without, err := b.settled(ctx)
		if err != nil {
			return err
		}
		if pair == 0 {
			b.row.PeakWithout = b.marked.PeakRSS
		}
		if err := stepDuring(b.d, b.attacker.begin); err != nil {
			return err
		}
		with, err := b.settled(ctx)
		if err != nil {
			return err
		}
		var done attackCounts
		if err := stepDuring(b.d, func() (err error) { done, err = b.attacker.end(); return err }); err != nil {
			return err
		}
		b.row.Attackers.add(&done)
		b.row.Pairs = append(b.row.Pairs, AttackPair{without, with})
	}
	return nil
}

// settled is turn after a moment in which what changed takes effect.
func (b *besieged) settled(ctx context.Context) (AttackTurn, error) {
	if _, err := b.turn(ctx, turnSettle); err != nil {
		return AttackTurn{}, err
	}
	if err := stepDuring(b.d, b.mark); err != nil {
		return AttackTurn{}, err
	}
	before := b.marked
	t, err := b.turn(ctx, b.Turn)
	if err == nil {
		err = stepDuring(b.d, b.mark)
	}
	done := b.marked.since(before)
	t.CPUUs = ratio(float64(done.CPU.Microseconds()), float64(done.Stats.Certificates))
	return t, err
}

func (b *besieged) mark() (err error) {
	b.marked, err = b.a.mark()
	return err
}

// turn keeps up the load for a while and counts what was confirmed.
func (b *besieged) turn(ctx context.Context, length time.Duration) (AttackTurn, error) {
	m := newMeter(Payments)
	if b.d.open != nil {
		m.opened()
	}
	b.meters = append(b.meters, m)
	m.began = b.d.now()
	b.d.meter = m
	m.begin(m.began)
	stopped, err := stepUntil(ctx, b.d, m, func() bool { return b.d.now()-m.began >= length })
	m.end(b.d.now())
	if err == nil {
		err = stopped
	}
	latency := m.confirmation
	if b.d.open != nil {
		latency = m.settled // since it was sent: what was due long before is not
	}
	return AttackTurn{
		PerSec: ratio(float64(m.confirmations), m.window().Seconds()),
		P50Us:  latency.ValueAtQuantile(50), P99Us: latency.ValueAtQuantile(99), MaxUs: latency.Max(),
	}, err
}
