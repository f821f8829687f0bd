package audit

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// shownSegments is how many segments are shown one by one at each end of the list.
const shownSegments = 3

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &text{w: w}
	for i, j := range r.Journals {
		if i > 0 {
			t.line("")
		}
		t.journal(j)
	}
	if len(r.Pairs) > 0 {
		t.line("")
		t.pairs(r.Pairs)
	}
	for _, total := range r.Totals {
		t.line("")
		t.line(fmt.Sprintf("all shards of %s: accounts have %s, %s is under way, %s was put in", total.Authority, total.Accounts,
			total.InFlight, total.Put))
	}
	for _, p := range r.Problems {
		t.line("")
		t.line("wrong: " + p.Text)
	}
	return t.err
}

// text writes lines, up to the first error.
type text struct {
	w   io.Writer
	err error
}

func (t *text) line(s string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, s+"\n")
	}
}

// field writes a line with a name before it.
func (t *text) field(name, format string, args ...any) {
	t.line(fmt.Sprintf("  %-17s", name) + fmt.Sprintf(format, args...))
}

// table writes rows of cells below one another.
func (t *text) table(rows [][]string) {
	if t.err != nil {
		return
	}
	table := tabwriter.NewWriter(t.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintln(table, "  "+strings.Join(row, "\t")+"\t") // Flush has its error
	}
	t.err = table.Flush()
}

func (t *text) journal(j *Journal) {
	t.line(j.Path)
	if j.Authority == "" {
		t.field("authority", "unknown: no file says whose journal this is")
		t.damage(j)
		return
	}
	t.field("authority", "%s", j.Authority)
	t.field("shards", "%s of %d", listOf(j.Shards), j.NumShards)
	t.field("journal", "%s", j.ID)
	t.field("committee", "%s", j.Committee)
	t.field("initial accounts", "%s", j.Accounts)
	t.field("end", "%s", j.endInWords())
	for _, mark := range j.Marks {
		t.field("mark", "%s: %s", mark, marksInWords[mark])
	}
	t.segments(j)
	t.field("groups", "%d, the last one is %d", j.Groups, j.LastGroup)
	t.field("records", "%d, in %s of groups", j.Records, sizeOf(j.Bytes))
	t.records(j)
	t.snapshots(j)
	if j.Books != nil {
		t.books(j.Books)
	}
	t.damage(j)
}

func (t *text) damage(j *Journal) {
	for _, d := range j.Damage {
		t.line(fmt.Sprintf("  damaged: %s: offset %d: %s", d.File, d.Offset, d.Reason))
		t.line("  what to do: " + d.Advice)
	}
}

var marksInWords = map[string]string{
	asyncMark: "a process with --durability async runs here, or ended without syncing its last records",
	noneMark:  "this authority ran with --durability none, and forgot what it signed then",
}

func (j *Journal) endInWords() string {
	if j.Process != 0 {
		return fmt.Sprintf("process %d runs on it, so the end may be moving; the last record seen is at %s", j.Process, j.EndAt)
	}
	switch j.End {
	case EndClean:
		return "closed in good order, the last record is at " + j.EndAt
	case EndTorn:
		return "what a crash left of a group that was never durable, at " + j.EndAt
	case EndMoving:
		return "moving: a process went on while it was read; the last record seen is at " + j.EndAt
	case EndDamage:
		return "not reached, because of damage at " + j.EndAt
	case EndOpen:
		return "not closed, the last record is at " + j.EndAt
	}
	return "empty"
}

func (t *text) segments(j *Journal) {
	total := int64(0)
	for _, s := range j.Segments {
		total += s.Bytes
	}
	t.field("segments", "%d, %s", len(j.Segments), sizeOf(total))
	rows := [][]string{{"segment", "bytes", "records", "groups", "first record", "last record"}}
	for i, s := range j.Segments {
		if i == shownSegments && len(j.Segments) > 2*shownSegments {
			rows = append(rows, []string{"...", "", "", "", "", ""})
		}
		if i >= shownSegments && i < len(j.Segments)-shownSegments {
			continue
		}
		groups := fmt.Sprintf("%d-%d", s.FirstGroup, s.LastGroup)
		if s.Records == 0 {
			groups = "-"
		}
		if s.Leftover {
			groups = "left over"
		}
		rows = append(rows, []string{fmt.Sprintf("%x", s.Number), fmt.Sprint(s.Bytes), fmt.Sprint(s.Records), groups,
			orDash(s.First), orDash(s.Last)})
	}
	t.table(rows)
}

func (t *text) records(j *Journal) {
	rows := [][]string{{"shard", "orders", "settlements", "credits", "primary", "funded", "acknowledged", "started", "lists"}}
	for _, c := range j.ByShard {
		row := []string{fmt.Sprint(c.Shard)}
		for _, n := range [...]uint64{c.Orders, c.Settlements, c.Credits, c.Primary, c.Funded, c.Acknowledged, c.Started, c.Lists} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	t.table(rows)
}

func (t *text) snapshots(j *Journal) {
	t.field("snapshots", "%d", len(j.Snapshots))
	for _, s := range j.Snapshots {
		whole := ""
		if !s.Whole {
			whole = ", not whole"
		}
		t.line(fmt.Sprintf("    before segment %x: groups up to %d, %d accounts, %s%s", s.Segment, s.Group, s.Accounts,
			sizeOf(s.Bytes), whole))
	}
}

func (t *text) books(b *Books) {
	t.field("books", "from %s", b.From)
	compared := "none was there to compare"
	if len(b.Compared) > 0 {
		var list []string
		for _, segment := range b.Compared {
			list = append(list, fmt.Sprintf("before segment %x", segment))
		}
		compared = "the same as the books: " + strings.Join(list, ", ")
	}
	t.field("", "snapshots: %s", compared)
	t.field("", "signatures: %d orders, %d votes of %d certificates", b.Orders, b.Votes, b.Certificates)
	if b.Unchecked > 0 {
		t.field("", "votes not checked: %d; give --committee", b.Unchecked)
	}
	t.field("", "accounts: %d with %s together, %d pending orders, %d credits under way", b.Accounts, b.Balance, b.Pending,
		b.InFlight)
	for _, p := range b.Problems {
		where := ""
		if p.Position != "" {
			where = " at " + p.Position
		}
		t.line(fmt.Sprintf("  wrong: shard %d%s: %s", p.Shard, where, p.Text))
	}
	if b.More > 0 {
		t.line(fmt.Sprintf("  wrong: %d more", b.More))
	}
}

func (t *text) pairs(pairs []*Pair) {
	t.line("credits between shards")
	rows := [][]string{{"from", "to", "issued", "arrived", "acknowledged"}}
	for _, p := range pairs {
		rows = append(rows, []string{fmt.Sprint(p.From), fmt.Sprint(p.To), fmt.Sprint(p.Issued), fmt.Sprint(p.Arrived),
			fmt.Sprint(p.Acknowledged)})
	}
	t.table(rows)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// listOf writes a set of shards.
func listOf(shards []int) string {
	var parts []string
	for i := 0; i < len(shards); {
		last := i
		for last+1 < len(shards) && shards[last+1] == shards[last]+1 {
			last++
		}
		part := fmt.Sprint(shards[i])
		if last > i {
			part += fmt.Sprintf("-%d", shards[last])
		}
		parts = append(parts, part)
		i = last + 1
	}
	return strings.Join(parts, ",")
}

func sizeOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
