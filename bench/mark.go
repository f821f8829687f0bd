package bench

import "time"

// mark says that the payments below end that no earlier mark covers were sent at time at, and due at time due; in a closed
// loop the two are the same.
type mark struct {
	end     int
	at, due time.Duration
}

// marks is a queue of them, oldest first. In an open loop it has one for each payment in flight.
type marks struct {
	all  []mark
	head int // of all: those before were removed
}

// sparseMarks is how many removed marks are kept before the rest moves down.
const sparseMarks = 1024

func (q *marks) first() *mark { return &q.all[q.head] }

func (q *marks) add(m mark) {
	if q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	} else if q.head >= sparseMarks && 2*q.head >= len(q.all) {
		q.all, q.head = q.all[:copy(q.all, q.all[q.head:])], 0
	}
	q.all = append(q.all, m)
}

func (q *marks) remove() { q.head++ }

// removeLast takes the youngest one back.
func (q *marks) removeLast() { q.all = q.all[:len(q.all)-1] }

func (q *marks) len() int { return len(q.all) - q.head }
