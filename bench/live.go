package bench

import (
	"fmt"
	"io"
	"math/bits"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// live tells each second how a run goes: on a terminal in one line that is rewritten, otherwise in a line each, or to whoever
// shows it. The driver's thread only hands over numbers, so that a terminal that is slow does not slow the load. A nil live is
// silent.
type live struct {
	unit     unit
	next     time.Duration
	last     time.Duration
	before   int
	spectrum Spectrum
	lines    chan liveLine
	ended    chan struct{}
}

// Spectrum counts what took how long: number i those below 2^i µs that are not below 2^(i-1).
type Spectrum [spectrumBuckets]int

const spectrumBuckets = 28 // up to latencyMaxUs

// Moment is how a run goes.
type Moment struct {
	Text      string  // as the line of progress has it
	PerSecond float64 // since the moment before
	Window    bool    // the measured window is under way
	Latency   Spectrum
}

// took counts n of what the run counts.
func (l *live) took(us int64, n int) {
	if l != nil {
		l.spectrum[min(bits.Len64(uint64(us)), spectrumBuckets-1)] += n
	}
}

// liveLine is one line. It is dropped when the ones before it are not printed yet.
type liveLine struct {
	at       time.Duration
	rate     float64
	inFlight int
	lost     int
	refused  int
	window   bool
	latency  Spectrum
}

const liveLines = 4 // that wait to be printed

// newLive tells on out, or to show.
func newLive(out io.Writer, u unit, show func(Moment)) *live {
	l := &live{unit: u, next: lineEvery, lines: make(chan liveLine, liveLines), ended: make(chan struct{})}
	f, isFile := out.(*os.File)
	if show != nil {
		go l.show(show)
	} else {
		go l.print(out, isFile && term.IsTerminal(int(f.Fd())))
	}
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
	case l.lines <- liveLine{now, float64(count-l.before) / (now - l.last).Seconds(), d.waiting(), m.lost, m.rejected, m.measuring,
		l.spectrum}:
	default:
	}
	l.before, l.last, l.spectrum = count, now, Spectrum{}
}

func (l *live) show(show func(Moment)) {
	defer close(l.ended)
	for line := range l.lines {
		show(Moment{line.text(l.unit), line.rate, line.window, line.latency})
	}
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
