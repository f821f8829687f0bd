package sim

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime/debug"

	"fastpay/codec"
	"fastpay/node/authority"
	"fastpay/node/committee"
)

// A World is a committee, its clients, their network and their disks, in one goroutine, under one seed. Everything that
// happens is an event of its queue, so the same seed gives the same history to the last bit.
type World struct {
	plan        Plan
	rng         *rand.Rand
	scheme      Scheme
	queue       eventQueue
	event       event  // the one that happens
	now         uint64 // virtual time, µs
	steps       uint64
	trace       digest
	log         func(string) // nil: nobody reads along
	violation   *Violation
	history     *sightings // nil: none is kept
	deaf        bool       // violations are passed over, so that somebody else may find them
	healed      bool       // no more faults
	count       Exercised
	message     codec.Message // scratch
	replies     arena
	snapshots   *bufio.Reader // scratch: it is large
	content     bytes.Buffer  // scratch: of a snapshot
	committee   *committee.Committee
	memberIndex map[codec.Address]int
	members     []member
	processes   []*process
	wires       []*wire
	clients     []clientNode
	payers      []*payer
	colluders   []*colluder
	facts       *facts
	contract    *authority.Contract
	redeemed    map[uint64]bool // places, see placeKey
	side        []bool          // during a partition: on which side each member is
	split       bool            // there is one
	pool        pool
	unfinished  int // payers that have payments to make
}

// A member is an authority, or what passes for one.
type member struct {
	copies  [][]*process // by copy and shard; a correct member has one copy
	retired bool         // its disk was damaged: no longer correct
}

// A clientNode is whoever sends requests to authorities.
type clientNode interface {
	reply(e *event)
	timer(e *event)
	wake(e *event)
}

// NewWorld makes the world of a seed.
func NewWorld(o Options) *World {
	if o.Payments == 0 {
		o.Payments = DefaultPayments
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x66617374706179))
	return newWorldOf(drawPlan(o, rng), rng)
}

func newWorldOf(plan Plan, rng *rand.Rand) *World {
	w := &World{plan: plan, rng: rng, scheme: Cheap{}, memberIndex: make(map[codec.Address]int)}
	if plan.Real {
		w.scheme = Ed25519{}
	}
	w.facts = &facts{w: w, ids: make(map[codec.Address]int32), signed: make(map[digest]struct{}, plan.Payments),
		checked: make(map[digest]struct{}, 2*plan.Payments)}
	w.makeCommittee()
	w.contract, w.redeemed = authority.NewContract(w.committee), make(map[uint64]bool)
	w.makeClients()
	w.makeProcesses()
	w.schedule()
	return w
}

func (w *World) makeCommittee() {
	members := make([]committee.Member, w.plan.Members)
	for i := range members {
		members[i] = committee.Member{Name: keyOf(firstMember + i).Public(), Weight: w.plan.weight(i), Host: fmt.Sprintf("h%d", i),
			BasePort: 1000, NumShards: w.plan.Shards}
		w.memberIndex[members[i].Name] = i
	}
	c, err := committee.NewSimulated(members, w.scheme.Verify)
	if err != nil {
		panic(err)
	}
	w.committee = c
}

func (w *World) makeProcesses() {
	w.members = make([]member, w.plan.Members)
	w.side = make([]bool, w.plan.Members)
	for i := range w.members {
		copies := 1
		if i < len(w.plan.Liars) && w.plan.Liars[i] == beTwin {
			copies = 2
		}
		for c := range copies {
			w.members[i].copies = append(w.members[i].copies, w.makeCopy(i, c))
		}
	}
}

// makeCopy makes the processes of one copy of an authority, and returns for each shard who runs it.
func (w *World) makeCopy(i, number int) []*process {
	of := make([]*process, w.plan.Shards)
	for s := range of {
		if s > 0 && !w.plan.Split {
			of[s] = of[0]
			continue
		}
		p := &process{w: w, index: int32(len(w.processes)), member: i, copy: number, correct: i >= len(w.plan.Liars),
			key: keyOf(firstMember + i), first: s, groupRecords: make(map[uint64]int)}
		if !p.correct {
			p.lie = behaviors[w.plan.Liars[i]]
		} else {
			p.books = newBooks(p)
		}
		if w.plan.Durable {
			p.disk = &disk{fs: newFS(), segmentBytes: int64(w.plan.SegmentKB) << 10, readBuf: make([]byte, groupBytes)}
		}
		if err := p.open(); err != nil {
			panic(err)
		}
		p.snapshotLater()
		of[s] = p
		w.processes = append(w.processes, p)
	}
	if w.plan.Split {
		w.makeWires(of)
	}
	return of
}

// reset gives a process the initial state.
func (p *process) reset() {
	n := p.w.plan.Shards
	p.shards = make([]*authority.Shard, n)
	p.signatures, p.messages = make([][]signature, n), make([][]message, n)
	p.outboxes, p.applied, p.funded = nil, 0, 0
	p.makeShards(true)
}

// makeShards makes them empty, or with the initial accounts.
func (p *process) makeShards(fund bool) {
	n := p.w.plan.Shards
	log := p.newLog()
	for s := range n {
		if p.w.plan.Split && s != p.first {
			continue
		}
		shard, err := authority.New(authority.Options{
			Committee: p.w.committee, Name: p.key.Public(), Shard: s, NumShards: n,
			Log: log, HashSeed: [2]uint64{p.w.plan.Seed, uint64(p.index)},
		})
		if err != nil {
			panic(err)
		}
		for i := range p.w.facts.accounts {
			if a := &p.w.facts.accounts[i]; fund && a.initial > 0 && shardOf(&a.address, n) == s {
				if err := shard.Fund(&a.address, codec.NewBalance(uint64(a.initial))); err != nil {
					p.w.fail(propertyS4, err.Error())
				}
			}
		}
		p.shards[s] = shard
	}
}

// newLog makes what the process's shards write to, and a reader of it.
func (p *process) newLog() authority.Log {
	if p.disk != nil {
		p.reader = authority.NewReader(p.w.committee, codec.DefaultMaxMessage, p.disk.read)
		return recordLog{p.disk, &p.applied}
	}
	ring, err := authority.NewRing(p.w.plan.RingKB<<10, p.w.committee)
	if err != nil {
		panic(err)
	}
	p.reader = authority.NewReader(p.w.committee, codec.DefaultMaxMessage, ring.Read)
	return recordLog{ring, &p.applied}
}

// Run carries the world out: faults, then the healing, then the last checks. It returns the violation, if there is one.
func (w *World) Run() (v *Violation) {
	defer func() {
		if r := recover(); r != nil {
			w.fail(propertyR1, fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
		}
		v = w.violation
	}()
	w.runFaults()
	w.runHealing()
	w.runSettlement()
	w.checkEnd()
	return w.violation
}

// fail notes the first violation, which ends the world.
func (w *World) fail(property Property, text string) {
	if w.violation == nil && !w.deaf {
		w.violation = &Violation{property, text, w.now, w.steps}
		if w.log != nil {
			w.log(w.violation.Error())
		}
	}
}

// step takes the next event; false when there is none, or the world has ended.
func (w *World) step() bool {
	if w.violation != nil {
		return false
	}
	e, ok := w.queue.pop()
	if !ok {
		return false
	}
	w.event = e
	w.now = e.at
	w.steps++
	w.traceEvent(&w.event)
	w.happen(&w.event)
	return true
}

// traceEvent makes the event part of the history's hash.
func (w *World) traceEvent(e *event) {
	h := digest(w.trace).mix(e.at, uint64(e.kind)<<32|uint64(uint32(e.from)))
	w.trace = h.mix(e.ref<<16|uint64(uint32(e.to)), uint64(crc32.Checksum(e.data, castagnoli)))
	if w.log != nil {
		w.log(w.describe(e))
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Trace is the hash of the history: two runs with equal ones were the same.
func (w *World) Trace() string { return fmt.Sprintf("%016x%016x", w.trace[0], w.trace[1]) }

// Exercised is what has occurred.
func (w *World) Exercised() Exercised { return w.count }

// happen does what an event says.
func (w *World) happen(e *event) {
	switch e.kind {
	case eventReply, eventSend, eventTimer, eventWake, eventGift:
		w.happenToClient(e)
		return
	case eventPartition, eventHeal, eventMint:
		w.happenToWorld(e)
		return
	case eventDial:
		w.wires[e.from].dial()
		return
	case eventWire:
		w.wires[e.from].receive(e)
		return
	}
	p := w.processes[e.to]
	switch e.kind {
	case eventRequest:
		p.receive(e)
	case eventBatch:
		if e.ref == p.epoch {
			p.batch()
		}
	case eventCommit:
		if e.ref == p.epoch {
			p.commit()
		}
	case eventCredit:
		p.creditArrived(e)
	case eventAck:
		p.acknowledged(e)
	case eventResend:
		if e.ref == p.epoch {
			p.resend()
		}
	case eventFund:
		p.fund(e)
	case eventSnapshot:
		if e.ref == p.epoch {
			p.snapshot()
		}
	case eventCrash:
		if !w.healed {
			p.crash()
			w.crashLater()
		}
	case eventRestart:
		if e.ref == p.epoch {
			p.restart()
		}
	}
}

func (w *World) happenToClient(e *event) {
	switch e.kind {
	case eventSend:
		w.request(e.from, int(e.to), int(e.shard), e.ref, e.data)
	case eventReply:
		w.clients[e.to].reply(e)
	case eventTimer:
		w.clients[e.to].timer(e)
	case eventWake:
		w.clients[e.to].wake(e)
	case eventGift:
		w.payers[e.to].gift(e.data)
	}
}

// push has an event happen after a delay.
func (w *World) push(e event, delay uint64) {
	e.at = w.now + delay
	w.queue.push(e)
}

// draw is a number below n, which may be 0.
func (w *World) draw(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	return w.rng.Uint64N(n)
}

// chance is true so many times of a thousand, while there are faults.
func (w *World) chance(thousandths int) bool {
	return thousandths > 0 && !w.healed && w.rng.IntN(1000) < thousandths
}
