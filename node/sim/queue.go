package sim

// An event is something that will happen in the world.
type event struct {
	at    uint64 // virtual time, µs
	seq   uint64 // the order of events of one time, which is that of their making
	kind  eventKind
	shard int16  // of the process that it happens to
	peer  int16  // the other shard, of a credit or its acknowledgement
	life  uint16 // the start of the process whose memory it is in, of those
	from  int32  // who caused it: a process or a client, as kind says
	to    int32  // whom it happens to
	ref   uint64 // names a request to its client, and a timer to its owner
	data  []byte // a message; nobody changes it
}

type eventKind uint8

const (
	eventRequest   eventKind = iota // data reaches process to, from client from
	eventReply                      // data reaches client to, from process from
	eventSend                       // client from sends data to authority to, after a delay
	eventBatch                      // process to works on what it has received
	eventCommit                     // process to has its disk write what is appended
	eventCredit                     // data, a credit, reaches process to, from its sibling from
	eventAck                        // process to learns that its sibling from has everything below ref
	eventResend                     // process to sends again what siblings have not acknowledged
	eventDial                       // link from connects
	eventWire                       // a frame of link from arrives, in direction shard
	eventFund                       // process to hears of transaction ref of the Primary
	eventSnapshot                   // process to makes a snapshot
	eventTimer                      // client to looks at what is late
	eventWake                       // client to does its next thing
	eventGift                       // client to is handed a certificate, by its payer from
	eventCrash                      // process to stops
	eventRestart                    // process to starts again
	eventPartition                  // the network splits
	eventHeal                       // and is whole again
	eventMint                       // somebody puts money in at the Primary
	numEventKinds
)

// An eventQueue yields events by time, and those of one time in the order of their making. It is a heap of four
// children a node, in one slice.
type eventQueue struct {
	heap []event
	seq  uint64
}

func (q *eventQueue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !before(&e, &q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

// pop takes the first event; ok is false when there is none.
func (q *eventQueue) pop() (first event, ok bool) {
	if len(q.heap) == 0 {
		return event{}, false
	}
	first = q.heap[0]
	last := q.heap[len(q.heap)-1]
	q.heap[len(q.heap)-1] = event{}
	q.heap = q.heap[:len(q.heap)-1]
	if len(q.heap) > 0 {
		q.sink(last)
	}
	return first, true
}

// sink puts e at the root and lets it sink to its place: past the least of four children, while that comes before it.
func (q *eventQueue) sink(e event) {
	i := 0
	for {
		first := 4*i + 1
		if first >= len(q.heap) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(q.heap)); c++ {
			if before(&q.heap[c], &q.heap[least]) {
				least = c
			}
		}
		if !before(&q.heap[least], &e) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = e
}

func before(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }
