package bench

import (
	"encoding/binary"
	"time"
)

// udpSock is the socket of one shard.
type udpSock struct {
	lane     *lane
	fd       int
	flights  []flight // at most as many as its window
	free     []int32  // indexes of flights that are not in use
	flightOf []int32  // by rank in lane.accounts: its flight, or notFlying, or dead
	ranks    []uint32 // open addressing on an address's first bytes: rank + 1, 0 empty
	begun    int      // payments of the lane
	queue    []int32  // flights whose request is to be sent
	arrived  marks    // payments of an open loop that are due and not begun
}

const (
	notFlying = -1
	dead      = -2 // one of its payments is lost, so none of the later ones can be accepted
)

// flight is a payment that was begun and is not done.
type flight struct {
	payment int
	phase   phase
	queued  bool          // stands in the queue
	tries   int           // times that the current request was sent
	sent    time.Duration // when it was first sent
	due     time.Duration // when it is sent again
	arrived time.Duration // when the payment was due, in an open loop
}

type phase uint8

const (
	idle phase = iota
	ordered
	certified
)

func newUDPSock(fd int, l *lane, w *workload, window int) *udpSock {
	s := &udpSock{lane: l, fd: fd}
	window = min(window, max(1, len(l.accounts))) // an account has one payment in flight
	s.flights = make([]flight, window)
	s.queue = make([]int32, 0, window)
	for i := range window {
		s.free = append(s.free, int32(window-1-i))
	}
	s.flightOf = make([]int32, len(l.accounts))
	size := 1
	for size < 2*len(l.accounts) {
		size *= 2
	}
	s.ranks = make([]uint32, size)
	for rank, account := range l.accounts {
		s.flightOf[rank] = notFlying
		i := s.home(w.accounts[account][:])
		for s.ranks[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		s.ranks[i] = uint32(rank + 1)
	}
	return s
}

func (s *udpSock) home(address []byte) int {
	return int(binary.LittleEndian.Uint64(address) & uint64(len(s.ranks)-1))
}

// find returns the flight of the account with this address.
func (s *udpSock) find(address []byte) (f *flight, index int32) {
	for i := s.home(address); s.ranks[i] != 0; i = (i + 1) & (len(s.ranks) - 1) {
		rank := int(s.ranks[i] - 1)
		index := s.flightOf[rank]
		if index < 0 {
			continue
		}
		f := &s.flights[index]
		if string(s.lane.payment(f.payment)[senderAt:senderAt+32]) == string(address) {
			return f, index
		}
	}
	return nil, -1
}

// release ends a flight; its account is then notFlying or dead.
func (s *udpSock) release(index int32, state int32) {
	f := &s.flights[index]
	s.flightOf[f.payment%len(s.lane.accounts)] = state
	f.phase = idle
	s.free = append(s.free, index)
}

// push puts a flight in the queue, unless it stands there already.
func (s *udpSock) push(index int32) {
	if f := &s.flights[index]; !f.queued {
		f.queued = true
		s.queue = append(s.queue, index)
	}
}
