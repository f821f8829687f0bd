package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Budget is where the CPU time and the bytes of a payment go, by stage: the authority's from a CPU profile of the window,
// the generator's from its thread's clock.
type Budget struct {
	Stages     []Stage `json:"stages"`
	SumUs      float64 `json:"sum_us"`      // of all stages but the generator
	MeasuredUs float64 `json:"measured_us"` // the authority's CPU time a payment by the kernel's clock, cpu_us_per_payment.node
	Samples    int64   `json:"samples"`     // of the profile; one is 10 ms of CPU time
}

// Stage is a part of the work on a payment.
type Stage struct {
	Name  string  `json:"name"`
	Us    float64 `json:"us"`    // CPU time a payment
	Bytes float64 `json:"bytes"` // a payment, that come in or leave here
}

// stage numbers the stages in the order in which a payment goes through them.
type stage int

const (
	stageRead stage = iota
	stageAdmit
	stageHash
	stageOrders
	stageVotes
	stageSign
	stageApply
	stageReply
	stageCredits
	stageRuntime
	stageOther
	stageGenerator
	numStages
)

var stageNames = [numStages]string{
	"read from sockets, wait for them",
	"take frames, decode, admit, collect signatures",
	"signatures: hash and sort, orders and votes together",
	"signatures of orders",
	"signatures of votes",
	"sign the own vote",
	"apply: look up, check, book, archive, encode the reply",
	"reply: release and write to sockets",
	"credits between shards",
	"garbage collection and runtime",
	"everything else",
	"generator: send, receive, compare",
}

// stageOf assigns functions to stages, by the beginning of their full name. Of a sample's stack the innermost function that
// is listed decides, and of several entries the longest. Functions that serve many, as memmove does, are not listed and
// count for their callers.
var stageOf = map[string]stage{
	"github.com/panjf2000/gnet/v2.(*eventloop)":       stageRead,
	"github.com/panjf2000/gnet/v2.(*eventloop).write": stageReply,
	"github.com/panjf2000/gnet/v2/pkg/netpoll.":       stageRead,

	"fastpay/node.(*worker).OnTraffic": stageAdmit,
	"fastpay/node.(*worker).drain":     stageAdmit,
	"fastpay/node.(*worker).run":       stageAdmit,
	"fastpay/node.(*worker).commit":    stageAdmit,
	"fastpay/node.(*worker).countKept": stageAdmit,
	"fastpay/node.(*worker).enter":     stageAdmit,
	"fastpay/node.(*worker).postDrain": stageAdmit,
	"fastpay/node.(*counters)":         stageAdmit,
	"fastpay/node.(*conn)":             stageAdmit,
	"fastpay/node.(*datagrams)":        stageRead,
	"fastpay/node.(*datagrams).send":   stageReply,
	"fastpay/node.(*batch)":            stageAdmit,
	"fastpay/crypto.(*Verifier)":       stageAdmit,

	"fastpay/node.(*batch).verify":                           stageHash,
	"fastpay/crypto.(*Verifier).Verify":                      stageHash,
	"fastpay/crypto/internal/eight.(*checker)":               stageHash,
	"fastpay/crypto/internal/eight.(*inputs)":                stageHash,
	"fastpay/crypto/internal/voi.(*checker)":                 stageHash,
	"fastpay/crypto/internal/eight.(*system)":                stageOrders,
	"fastpay/crypto/internal/eight.(*senders)":               stageOrders,
	"fastpay/crypto/internal/voi.(*system)":                  stageOrders,
	"fastpay/crypto/internal/voi.(*keyCache)":                stageOrders,
	"fastpay/crypto/internal/eight.(*checker).checkVotes":    stageVotes,
	"fastpay/crypto/internal/eight.(*checker).checkLeftover": stageVotes,
	"fastpay/crypto/internal/voi.(*checker).walkVotes":       stageVotes,
	"fastpay/crypto/internal/voi.(*checker).walkGroup":       stageVotes,

	"fastpay/node.(*batch).sign":             stageSign,
	"fastpay/crypto.(*PrivateKey)":           stageSign,
	"fastpay/node.(*batch).apply":            stageApply,
	"fastpay/node.(*batch).replyTo":          stageApply,
	"fastpay/node.(*batch).replied":          stageApply,
	"fastpay/node.(*worker).release":         stageReply,
	"fastpay/node.(*worker).write":           stageReply,
	"fastpay/node.(*worker).giveReplyBuffer": stageReply,

	"fastpay/node.(*batch).applyCredit":        stageCredits,
	"fastpay/node.(*batch).reserveCredit":      stageCredits,
	"fastpay/node.(*batch).settleCredit":       stageCredits,
	"fastpay/node.(*worker).sendCredits":       stageCredits,
	"fastpay/node.(*worker).takeCredits":       stageCredits,
	"fastpay/node.(*worker).takePostedCredits": stageCredits,
	"fastpay/node.(*worker).announceCredits":   stageCredits,
	"fastpay/node.(*worker).reserveRing":       stageCredits,
	"fastpay/node.(*ring)":                     stageCredits,
	"fastpay/node.(*link)":                     stageCredits,
	"fastpay/node/authority.(*Shard).Credit":   stageCredits,

	"runtime.gcBgMarkWorker": stageRuntime,
	"runtime.gcAssistAlloc":  stageRuntime,
	"runtime.bgsweep":        stageRuntime,
	"runtime.bgscavenge":     stageRuntime,
	"runtime.mallocgc":       stageRuntime,
	"runtime.mcall":          stageRuntime,
	"runtime.mstart":         stageRuntime,
	"runtime.sysmon":         stageRuntime,
	"runtime.newstack":       stageRuntime,
	"runtime/pprof.":         stageOther,
}

// stageOfFunction finds the entry for a function's full name.
func stageOfFunction(name string) (s stage, ok bool) {
	longest := -1
	for begin, of := range stageOf {
		if len(begin) > longest && strings.HasPrefix(name, begin) {
			s, longest = of, len(begin)
		}
	}
	return s, longest >= 0
}

// cpuByStage adds up a CPU profile's samples.
func cpuByStage(p *profile.Profile) (by [numStages]time.Duration, samples int64, err error) {
	column := -1
	for i, t := range p.SampleType {
		if t.Type == "cpu" && t.Unit == "nanoseconds" {
			column = i
		}
	}
	if column < 0 {
		return by, 0, fmt.Errorf("bench: the profile is not of CPU time")
	}
	for _, s := range p.Sample {
		by[stageOfSample(s)] += time.Duration(s.Value[column])
		if p.Period > 0 {
			samples += s.Value[column] / p.Period
		}
	}
	return by, samples, nil
}

// stageOfSample walks a stack from the innermost function, inlined ones included.
func stageOfSample(s *profile.Sample) stage {
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function == nil {
				continue
			}
			if of, ok := stageOfFunction(line.Function.Name); ok {
				return of
			}
		}
	}
	return stageOther
}

// readProfile reads the CPU profile that a run left in dir.
func readProfile(dir string) (*profile.Profile, error) {
	f, err := os.Open(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", f.Name(), err)
	}
	return p, nil
}

// newBudget divides a profile by what r counts. In one process with the authority the generator is in the profile, and
// counts as everything else.
func newBudget(p *profile.Profile, r *Result) (*Budget, error) {
	by, samples, err := cpuByStage(p)
	if err != nil {
		return nil, err
	}
	counted := float64(r.Node.Certificates)
	if r.Phase == Orders.String() {
		counted = float64(r.Node.Orders)
	}
	b := &Budget{MeasuredUs: r.CPUUsPerPayment.Node, Samples: samples}
	for s := range numStages {
		b.Stages = append(b.Stages, Stage{Name: stageNames[s], Us: ratio(us(by[s]), counted)})
		b.SumUs += b.Stages[s].Us
	}
	b.Stages[stageGenerator].Us = r.CPUUsPerPayment.Generator
	b.Stages[stageRead].Bytes = ratio(float64(r.Node.BytesIn), counted)
	b.Stages[stageReply].Bytes = ratio(float64(r.Node.BytesOut), counted)
	return b, nil
}

// signaturesUs is the part of the sum that is arithmetic.
func (b *Budget) signaturesUs() (us float64) {
	for _, s := range [...]stage{stageHash, stageOrders, stageVotes, stageSign} {
		us += b.Stages[s].Us
	}
	return us
}

// writeText lists the stages that cost something.
func (b *Budget) writeText(out *strings.Builder) {
	if b == nil {
		return
	}
	fmt.Fprintf(out, "\n BUDGET of CPU time, by profile\n")
	for _, s := range b.Stages {
		if s.Us > 0 {
			fmt.Fprintf(out, " %8.2f µs %8.0f bytes  %s\n", s.Us, s.Bytes, s.Name)
		}
	}
	fmt.Fprintf(out, " %8.2f µs in all without the generator, %.2f by the kernel's clock; %.2f not for signatures\n", b.SumUs,
		b.MeasuredUs, b.SumUs-b.signaturesUs())
}

// renderBudget is the section of a report about the first result that has a budget; nothing, when none has.
func renderBudget(b *strings.Builder, results []*Result) {
	for _, r := range results {
		if r.Budget == nil || len(r.Budget.Stages) != int(numStages) {
			continue
		}
		r.Budget.render(b, r)
		return
	}
}

func (b *Budget) render(out *strings.Builder, r *Result) {
	fmt.Fprintf(out, "## Budget of a payment\n\n"+whatBudget+"\n\n", r.CommitteeSize, strings.ToUpper(r.Protocol),
		grouped(int(b.Samples)))
	out.WriteString("| Stage | µs a payment | bytes a payment |\n|---|---:|---:|\n")
	for _, s := range b.Stages[:stageGenerator] {
		bytes := ""
		if s.Bytes > 0 {
			bytes = fmt.Sprintf("%.0f", s.Bytes)
		}
		fmt.Fprintf(out, "| %s | %.2f | %s |\n", s.Name, s.Us, bytes)
	}
	fmt.Fprintf(out, "| **sum of the authority's stages** | **%.2f** | |\n", b.SumUs)
	fmt.Fprintf(out, "| the authority's CPU time by the kernel's clock | %.2f | |\n", b.MeasuredUs)
	fmt.Fprintf(out, "| ... of the sum, all but signatures | %.2f | |\n", b.SumUs-b.signaturesUs())
	g := b.Stages[stageGenerator]
	fmt.Fprintf(out, "| %s | %.2f | |\n\n%s:\n\n", g.Name, g.Us, measuredAt(r))
	renderCommands(out, []*Result{r})
}

const whatBudget = `CPU time of the authority, %d authorities over %s, from a profile of the window (%s samples of 10 ms), each
sample counted for the innermost function that belongs to a stage. Time in the kernel counts for the stage that called
it. Bytes are the messages with their frames, at the stage where they come in or leave; credits between the shards of one
process move in memory.`
