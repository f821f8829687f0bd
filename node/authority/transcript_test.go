package authority

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node/committee"
)

// The prototype's authority went through 80 requests; TestTranscript takes ours through the same ones, as a node would,
// and compares every reply byte for byte and the full state of both shards after each step.
//
// Where we differ on purpose, testdata/patches.txt has the difference and its reason. testdata/transcript.txt is the
// same run for the reader: what came, what was answered, what changed. With -rewrite both files are made anew; a
// difference that is new gets no reason, and the test fails until somebody writes one.
var rewrite = flag.Bool("rewrite", false, "write testdata/patches.txt and testdata/transcript.txt anew")

const (
	patchesFile    = "testdata/patches.txt"
	transcriptFile = "testdata/transcript.txt"
)

// ed25519 is the scheme of production with the key of one authority.
type ed25519 struct{ key *crypto.PrivateKey }

func (e ed25519) sign(_ byte, message []byte) (sig crypto.Signature) {
	e.key.Sign(&sig, message)
	return sig
}

func (ed25519) verify(key *crypto.PublicKey, message []byte, sig *crypto.Signature) bool {
	return crypto.Verify(key, message, sig)
}

// newTranscriptDriver is authority 0 with two shards in the initial state.
func newTranscriptDriver(t *testing.T, v *vectors) *transcriptDriver {
	key := crypto.NewPrivateKey((*[32]byte)(unhex(t, v.Keys[0].Seed)))
	d := newDriver(t, ed25519{key}, 0, 2, v.authorities(t), func(o *Options) { o.Name = key.Public() })
	d.name = key.Public()
	for _, shard := range v.StateMachine.Initial {
		for _, a := range shard.Accounts {
			address := v.address(t, a.Address)
			balance, err := codec.ParseBalance(a.Balance)
			if err != nil {
				t.Fatal(err)
			}
			d.fund(t, address, balance)
			next, err := strconv.ParseUint(a.Next, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			d.shardOf(address).table.find(&address).next = next
		}
	}
	return &transcriptDriver{driver: d}
}

// A transcriptDriver also numbers the credits between its shards.
type transcriptDriver struct {
	*driver
	payments [2][]string // that were credited, by the shard that paid
}

// A view is all that is compared after a step, by the name of the field.
type view map[string]string

func accountField(shard int, address, field string) string {
	return fmt.Sprintf("shard %d account %s %s", shard, address[:8], field)
}

func (v view) state(shards []vectorShard) {
	for _, s := range shards {
		v[fmt.Sprintf("shard %d last transaction", s.Shard)] = s.LastTransaction
		for _, a := range s.Accounts {
			f := func(field, value string) { v[accountField(s.Shard, a.Address, field)] = value }
			f("balance", a.Balance)
			f("next", a.Next)
			f("pending", describeBytes(a.Pending))
			f("confirmed", strconv.Itoa(a.Confirmed))
			f("received", strconv.Itoa(a.Received))
			f("synchronized", strconv.Itoa(a.Synchronized))
		}
	}
}

// describeBytes is a fingerprint of bytes in hex, "none" for none.
func describeBytes(s *string) string {
	if s == nil {
		return "none"
	}
	sum := sha256.Sum256([]byte(*s))
	return fmt.Sprintf("%d bytes sha256 %x", len(*s)/2, sum[:4])
}

// describeReply is a reply for the reader, with a fingerprint of its bytes. The text inside InvalidSignature is
// anybody's own, so two of those are the same.
func describeReply(t *testing.T, s *string) string {
	t.Helper()
	if s == nil {
		return "none"
	}
	var m codec.Message
	if !m.Decode(unhex(t, *s)) {
		t.Fatalf("a reply does not decode: %s", *s)
	}
	if m.Kind == codec.KindError {
		e := m.Error()
		text := e.Code.String()
		switch e.Code {
		case codec.InvalidSignature:
			return text
		case codec.InsufficientFunding:
			text += "{" + e.Balance.String() + "}"
		case codec.MissingEalierConfirmations:
			text += fmt.Sprintf("{%d}", e.Sequence)
		}
		return text + ", " + describeBytes(s)
	}
	r := m.InfoResponse()
	text := fmt.Sprintf("info %x: balance %v, next %d", r.Account[:4], r.Balance, r.NextSequenceNumber)
	if !r.Pending.IsZero() {
		text += ", pending " + describeOrder(r.Pending.Order())
	}
	if !r.Certificate.IsZero() {
		text += ", certificate of " + describeOrder(r.Certificate.Order())
	}
	if r.Received.Len() > 0 {
		text += fmt.Sprintf(", %d received", r.Received.Len())
	}
	return text + ", " + describeBytes(s)
}

func describeOrder(o codec.Order) string {
	return fmt.Sprintf("%d from %x to %v %x number %d",
		o.Amount(), o.Sender()[:4], o.RecipientKind(), o.Recipient()[:4], o.SequenceNumber())
}

// prototypeView is what the prototype did in a step.
func prototypeView(t *testing.T, s *vectorStep) view {
	v := view{"result": s.Result.Kind, "reply": describeReply(t, s.Result.Reply), "credit": "none"}
	if s.Result.Kind == "error" {
		v["result"] = s.Result.Error.Variant
	}
	if u := s.Result.Update; u != nil {
		v["credit"] = fmt.Sprintf("to shard %d, %s", u.Shard, describeBytes(&u.Message))
	}
	v.state(s.State)
	return v
}

// run takes ours through a step.
func (d *transcriptDriver) run(t *testing.T, s *vectorStep) view {
	t.Helper()
	var a answer
	message := unhex(t, s.Bytes)
	if s.Op == "primary_sync" {
		var in struct {
			Recipient string
			Amount    uint64 `json:",string"`
			Index     uint64 `json:"transaction_index,string"`
		}
		if err := json.Unmarshal(s.Input, &in); err != nil {
			t.Fatal(err)
		}
		recipient := codec.Address(unhex(t, in.Recipient))
		out := d.shards[s.Shard].SyncPrimary(nil, &recipient, in.Amount, in.Index)
		a = answer{reply: out.Reply, creditTo: out.CreditTo}
		if out.Reply != nil {
			a.err = errorOf(out.Reply)
		}
		d.commit()
	} else if s.Op == "cross_shard" {
		a = answer{creditTo: -1, err: d.deliver(s.Shard, mustDecode(message).Certificate())}
	} else {
		a = d.one(s.Shard, message)
	}
	v := view{"result": codeOf(a.err), "reply": "none", "credit": "none"}
	if a.reply != nil {
		text := hex.EncodeToString(a.reply)
		v["reply"] = describeReply(t, &text)
	}
	if a.creditTo >= 0 {
		text := hex.EncodeToString(codec.AppendCrossShard(nil, mustDecode(message).Certificate()))
		v["credit"] = fmt.Sprintf("to shard %d, %s", a.creditTo, describeBytes(&text))
	}
	d.state(v)
	return v
}

// deliver brings a credit as a link does: each payment has a number of its own, also when it comes again. What a link
// refuses is no error of the protocol; the nearest one stands for it.
func (d *transcriptDriver) deliver(shard int, c codec.Certificate) *codec.Error {
	from := committee.ShardOf(c.Order().Sender(), len(d.shards))
	payments := &d.payments[from]
	number := slices.Index(*payments, place(c.Order())) + 1
	if number == 0 {
		number = len(*payments) + 1
	}
	if err := d.credit(shard, from, uint64(number), 0, c); err != nil {
		return &codec.Error{Code: codec.InvalidCrossShardUpdate}
	}
	if number > len(*payments) {
		*payments = append(*payments, place(c.Order()))
	}
	return nil
}

// state adds the state of all shards to v.
func (d *driver) state(v view) {
	for i, s := range d.shards {
		v[fmt.Sprintf("shard %d last transaction", i)] = strconv.FormatUint(s.LastTransaction(), 10)
		for a := range s.Accounts() {
			f := func(field string, value any) {
				v[accountField(i, hex.EncodeToString(a.Address[:]), field)] = fmt.Sprint(value)
			}
			f("balance", a.Balance)
			f("next", a.NextSequenceNumber)
			pending := "none"
			if a.Pending != nil {
				text := "01000000" + hex.EncodeToString(a.Pending)
				pending = describeBytes(&text)
			}
			f("pending", pending)
			f("confirmed", a.Confirmed)
			f("received", a.Received)
			f("synchronized", a.Synchronized)
		}
	}
}

// A patch is one value that differs from the prototype's, on purpose.
type patch struct {
	field, prototype, ours string
	first, last            int // steps
	reason                 string
}

// differences lists where the views of a step differ; "absent" stands for a field that is not there.
func differences(step int, prototype, ours view) (list []patch) {
	fields := maps.Clone(prototype)
	maps.Copy(fields, ours)
	get := func(v view, field string) string {
		if value, ok := v[field]; ok {
			return value
		}
		return "absent"
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if p, o := get(prototype, field), get(ours, field); p != o {
			list = append(list, patch{field, p, o, step, step, ""})
		}
	}
	return list
}

// mergePatches joins equal differences of successive steps.
func mergePatches(list []patch) (merged []patch) {
	for _, p := range list {
		i := slices.IndexFunc(merged, func(m patch) bool {
			return m.field == p.field && m.prototype == p.prototype && m.ours == p.ours && m.last == p.first-1
		})
		if i < 0 {
			merged = append(merged, p)
		} else {
			merged[i].last = p.last
		}
	}
	return merged
}

func (p patch) key() string {
	steps := strconv.Itoa(p.first)
	if p.last > p.first {
		steps += "-" + strconv.Itoa(p.last)
	}
	return fmt.Sprintf("step %s: %s\n\tprototype: %s\n\tours:      %s\n", steps, p.field, p.prototype, p.ours)
}

const reasonPrefix = "\treason:    "

// readPatches gives the reasons by the rest of the entry.
func readPatches(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(patchesFile)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]string)
	for _, entry := range strings.Split(string(text), "\n\n") {
		if entry = strings.Trim(entry, "\n"); entry == "" || entry[0] == '#' {
			continue
		}
		i := strings.Index(entry, reasonPrefix)
		if i < 0 {
			t.Fatalf("%s: no reason in\n%s", patchesFile, entry)
		}
		if _, repeated := reasons[entry[:i]]; repeated {
			t.Errorf("%s: repeated\n%s", patchesFile, entry)
		}
		reasons[entry[:i]] = entry[i+len(reasonPrefix):]
	}
	return reasons
}

const patchesHeader = `# Where this project differs from the prototype on purpose, in the transcript of 80 requests.
# Steps count from 1. The test fails on a difference that is not here, and on an entry that is not needed.
# Write anew with: go test ./node/authority -run TestTranscript -rewrite

`

func TestTranscript(t *testing.T) {
	v := loadVectors(t)
	d := newTranscriptDriver(t, v)
	before := view{}
	d.state(before)
	initial := view{}
	initial.state(v.StateMachine.Initial)
	if list := differences(0, initial, before); list != nil {
		t.Fatalf("the initial state differs: %+v", list)
	}
	var (
		found      []patch
		transcript strings.Builder
	)
	for i := range v.StateMachine.Steps {
		step := &v.StateMachine.Steps[i]
		ours := d.run(t, step)
		found = append(found, differences(step.Step, prototypeView(t, step), ours)...)
		writeStep(&transcript, step, before, ours)
		before = ours
	}
	found = mergePatches(found)
	if *rewrite {
		rewriteFiles(t, found, transcript.String())
	}
	reasons := readPatches(t)
	for _, p := range found {
		reason, ok := reasons[p.key()]
		if !ok || strings.TrimSpace(reason) == "" {
			t.Errorf("a difference without a reason:\n%s", p.key())
		}
		delete(reasons, p.key())
	}
	for key := range reasons {
		t.Errorf("a patch that is not needed:\n%s", key)
	}
	if want, err := os.ReadFile(transcriptFile); err != nil || string(want) != transcript.String() {
		t.Errorf("%s is not what happened (%v); see the difference after -rewrite", transcriptFile, err)
	}
}

// writeStep writes a step for the reader: request, answer, and what changed in the state.
func writeStep(w *strings.Builder, s *vectorStep, before, after view) {
	fmt.Fprintf(w, "%d %s\n\tshard %d: %s", s.Step, s.Name, s.Shard, s.Op)
	var m codec.Message
	if b, err := hex.DecodeString(s.Bytes); err == nil && m.Decode(b) {
		switch m.Kind {
		case codec.KindOrder:
			fmt.Fprintf(w, " of %s", describeOrder(m.Order()))
		case codec.KindCertificate, codec.KindCrossShard:
			fmt.Fprintf(w, " of %s, %d votes", describeOrder(m.Certificate().Order()), m.Certificate().NumVotes())
		case codec.KindInfoRequest:
			q := m.InfoRequest()
			fmt.Fprintf(w, " of %x", q.Account[:4])
			if q.HasSequence {
				fmt.Fprintf(w, ", certificate %d", q.Sequence)
			}
			if q.HasReceived {
				fmt.Fprintf(w, ", received after %d", q.ReceivedAfter)
			}
		}
	}
	fmt.Fprintf(w, "\n\tanswer: %s\n", after["reply"])
	if after["reply"] == "none" {
		fmt.Fprintf(w, "\tresult: %s\n", after["result"])
	}
	if after["credit"] != "none" {
		fmt.Fprintf(w, "\tcredit: %s\n", after["credit"])
	}
	for _, p := range differences(0, before, after) {
		if strings.HasPrefix(p.field, "shard") {
			fmt.Fprintf(w, "\t%s: %s -> %s\n", p.field, p.prototype, p.ours)
		}
	}
}

// rewriteFiles writes what was found, with the reasons that are there already.
func rewriteFiles(t *testing.T, found []patch, transcript string) {
	t.Helper()
	reasons := map[string]string{}
	if _, err := os.Stat(patchesFile); err == nil {
		reasons = readPatches(t)
	}
	text := patchesHeader
	for _, p := range found {
		text += p.key() + reasonPrefix + reasons[p.key()] + "\n\n"
	}
	if err := os.WriteFile(patchesFile, []byte(strings.TrimSuffix(text, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(transcriptFile, []byte(transcript), 0o644); err != nil {
		t.Fatal(err)
	}
}
