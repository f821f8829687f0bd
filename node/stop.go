package node

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// fail ends the node: a part of it can't go on. From any thread.
func (n *Node) fail(err error) {
	n.failOnce.Do(func() {
		n.failure = err
		close(n.failed)
	})
}

func (n *Node) hasFailed() bool {
	select {
	case <-n.failed:
		return true
	default:
		return false
	}
}

// Wait blocks until the node ended. It returns nil after Stop, and what went wrong otherwise.
func (n *Node) Wait() error {
	<-n.ended
	return n.failure
}

// Stop ends the node: no new connections, what has been read is answered (drainTimeout at most), then everything closes.
// Credits that sibling processes have not acknowledged are sent after the next start. It may be called more than once.
func (n *Node) Stop(ctx context.Context) error {
	n.stopOnce.Do(func() {
		n.stopping.Store(true)
		if n.store == nil || !n.store.halted.Load() {
			ctx, cancel := context.WithTimeout(ctx, drainTimeout)
			defer cancel()
			n.drain(ctx)
			if n.links != nil {
				n.links.stop() // before the engines: what it posts to a loop would reach a descriptor that is closed
			}
		}
		var engines sync.WaitGroup
		for _, w := range n.workers {
			engines.Go(func() { w.stop() })
		}
		engines.Wait()
		n.engines.Wait()
		if n.store != nil {
			if err := n.store.close(); err != nil {
				n.fail(fmt.Errorf("node: end of the journal: %w", err))
			}
		}
		n.releaseClaims()
		close(n.ended)
	})
	<-n.ended
	return n.failure
}

// drain waits until nothing is parked, queued or unacknowledged. Queues of credits are looked at only after all workers:
// one that is asked late may have pushed to the queue of one that was asked early.
func (n *Node) drain(ctx context.Context) {
	for {
		idle := true
		for _, w := range n.workers {
			idle = w.idle(ctx) && idle
		}
		for _, w := range n.workers {
			idle = idle && w.creditsDelivered()
		}
		if idle {
			return
		}
		select {
		case <-ctx.Done():
			n.log.Warn("stopping with replies or credits undelivered")
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (n *Node) releaseClaims() {
	for _, l := range n.claims {
		_ = l.Close()
	}
}

// idle reports, from another thread, whether nothing is under way, queues of credits apart. While stopping nothing new
// begins. A loop that does not answer in time is not idle; one that has ended is.
func (w *worker) idle(ctx context.Context) bool {
	if !w.running.Load() {
		return true
	}
	result := make(chan bool, 1)
	w.run(&task{func() {
		if !w.posted {
			w.drain()
		}
		idle := !w.posted && w.batch.empty() && len(w.parked) == 0 && w.holders.Load() == 0 &&
			(w.library == nil || w.library.pending == 0)
		for c := w.conns.first; c != nil; c = c.next {
			idle = idle && c.queuedBytes() == 0
		}
		result <- idle
	}})
	select {
	case idle := <-result:
		return idle
	case <-w.alive.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// stop ends the engine. Engines are stopped side by side.
func (w *worker) stop() {
	if e := w.engine.Load(); e != nil {
		_ = e.Stop(w.alive) // it looks every half second whether the engine has ended; alive tells at once
	}
}
