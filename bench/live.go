package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// live tells each second how a run goes: on a terminal in one line that is rewritten, otherwise in a line each. The
// driver's thread only hands over numbers, so that a terminal that is slow does not slow the load. A nil live is silent.
type live struct {
	unit   unit
	next   time.Duration
	last   time.Duration
	before int
	lines  chan liveLine
	ended  chan struct{}
}

// liveLine is one line. It is dropped when the ones before it are not printed yet.
type liveLine struct {
	at       time.Duration
	rate     float64
	inFlight int
	lost     int
	refused  int
	window   bool
}

const liveLines = 4 // that wait to be printed

func newLive(out io.Writer, u unit) *live {
	l := &live{unit: u, next: lineEvery, lines: make(chan liveLine, liveLines), ended: make(chan struct{})}
	f, isFile := out.(*os.File)
	go l.print(out, isFile && term.IsTerminal(int(f.Fd())))
	return l
}

// tick is called by the driver after each step.
func (l *live) tick(d driver, m *meter) {
	if l == nil {
		return
	}
	now := d.now()
	if now < l.next {
		return
	}
	l.next = now + lineEvery
	count := m.confirmed
	if m.phase == Orders {
		count = m.answers - m.confirmed
	}
	select {
	case l.lines <- liveLine{now, float64(count-l.before) / (now - l.last).Seconds(), d.waiting(), m.lost, m.rejected, m.measuring}:
	default:
	}
	l.before, l.last = count, now
}

func (l *live) print(out io.Writer, terminal bool) {
	defer close(l.ended)
	width := 0
	for line := range l.lines {
		text := line.text(l.unit)
		if !terminal {
			fmt.Fprintln(out, text)
			continue
		}
		fmt.Fprintf(out, "\r%s%s", text, strings.Repeat(" ", max(0, width-len(text))))
		width = len(text)
	}
	if width > 0 {
		fmt.Fprintf(out, "\r%s\r", strings.Repeat(" ", width))
	}
}

func (l liveLine) text(u unit) string {
	text := fmt.Sprintf("%4.0f s  %s %s, %s waiting", l.at.Seconds(), grouped(int(l.rate)), u.perSecond, grouped(l.inFlight))
	if l.refused+l.lost > 0 {
		text += fmt.Sprintf(", %d rejected, %d lost", l.refused, l.lost)
	}
	if !l.window {
		text += ", not measured"
	}
	return text
}

// end prints what is left. Nothing is ticked after it.
func (l *live) end() {
	if l != nil {
		close(l.lines)
		<-l.ended
	}
}
