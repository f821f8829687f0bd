package bench

import "time"

// mark says that the payments below end that no earlier mark covers were sent at time at, and due at time due; in a closed
// loop the two are the same.
type mark struct {
	end     int
	at, due time.Duration
}

// marks is a queue of them, oldest first. In an open loop it has one for each payment in flight.
type marks = queue[mark]

// queue is first in, first out. The zero value is empty.
type queue[T any] struct {
	all  []T
	head int // of all: those before were removed
}

// sparseMarks is how many removed elements are kept before the rest moves down.
const sparseMarks = 1024

func (q *queue[T]) first() *T { return &q.all[q.head] }

func (q *queue[T]) add(m T) {
	if q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	} else if q.head >= sparseMarks && 2*q.head >= len(q.all) {
		q.all, q.head = q.all[:copy(q.all, q.all[q.head:])], 0
	}
	q.all = append(q.all, m)
}

func (q *queue[T]) remove() { q.head++ }

func (q *queue[T]) clear() { q.all, q.head = q.all[:0], 0 }

// removeLast takes the youngest one back.
func (q *queue[T]) removeLast() { q.all = q.all[:len(q.all)-1] }

func (q *queue[T]) len() int { return len(q.all) - q.head }
