package bench

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"fastpay/codec"
	"fastpay/node/committee"
)

// Pattern is how recipients are chosen.
type Pattern uint8

const (
	// Ring has each account paid by the next: the paper's.
	Ring Pattern = iota
	// Uniform has all accounts paid alike.
	Uniform
	// Zipf has account r paid in proportion to 1/(r+1)^Skew.
	Zipf
	// Hot has Accounts accounts share Percent of the payments, and all accounts the others.
	Hot

	numPatterns
)

var patternNames = [numPatterns]string{"ring", "uniform", "zipf", "hot"}

// Mix is who is paid, and what goes with a payment. Every account pays in turn. The zero value is the paper's ring.
type Mix struct {
	Pattern  Pattern
	Skew     float64 // of Zipf
	Accounts int     // of Hot
	Percent  float64 // of Hot

	HasCrossShard bool    // else as the pattern has it
	CrossShard    float64 // percent of payments whose recipient lives in another shard
	ToPrimary     float64 // percent of payments that leave FastPay
	UserData      bool    // 32 bytes with each payment
}

// PatternNames are the patterns that ParsePattern knows; a colon comes before the numbers of those that have some.
func PatternNames() []string { return []string{"ring", "uniform", "zipf:", "hot:"} }

// PatternGrammar is what ParsePattern takes.
const PatternGrammar = "ring, uniform, zipf:S, hot:K,P"

// ParsePattern sets how recipients are chosen: S is the exponent, K accounts are paid in P percent of the payments.
func (m *Mix) ParsePattern(text string) error {
	name, rest, has := strings.Cut(text, ":")
	i := slices.Index(patternNames[:], name)
	bad := fmt.Errorf("bench: workload %q: expected one of %s", text, PatternGrammar)
	if i < 0 {
		return bad
	}
	var err error
	switch m.Pattern = Pattern(i); m.Pattern {
	case Zipf:
		m.Skew, err = strconv.ParseFloat(rest, 64)
	case Hot:
		accounts, percent, _ := strings.Cut(rest, ",")
		var err2 error
		m.Accounts, err = strconv.Atoi(accounts)
		m.Percent, err2 = strconv.ParseFloat(percent, 64)
		err = errors.Join(err, err2)
	default:
		if has {
			return bad
		}
	}
	if err != nil || m.check() != nil {
		return bad
	}
	return nil
}

const maxSkew = 10

func (m *Mix) check() error {
	percent := func(p float64) bool { return p >= 0 && p <= 100 }
	switch {
	case m.Pattern >= numPatterns:
		return fmt.Errorf("bench: there is no pattern %d of recipients", m.Pattern)
	case m.Pattern == Zipf && !(m.Skew > 0 && m.Skew <= maxSkew):
		return fmt.Errorf("bench: exponent %v, expected more than 0 and at most %d", m.Skew, maxSkew)
	case m.Pattern == Hot && !(m.Accounts >= 1 && percent(m.Percent)):
		return fmt.Errorf("bench: %d hot accounts with %v percent of the payments", m.Accounts, m.Percent)
	case !percent(m.CrossShard) || !percent(m.ToPrimary):
		return fmt.Errorf("bench: shares of %v and %v percent, expected 0 to 100", m.CrossShard, m.ToPrimary)
	}
	return nil
}

// String is m in a few words, and different for different mixes.
func (m Mix) String() string {
	text := patternNames[m.Pattern]
	switch m.Pattern {
	case Zipf:
		text += fmt.Sprintf(":%g", m.Skew)
	case Hot:
		text += fmt.Sprintf(":%d,%g", m.Accounts, m.Percent)
	}
	if m.HasCrossShard {
		text += fmt.Sprintf(", %g %% across shards", m.CrossShard)
	}
	if m.ToPrimary > 0 {
		text += fmt.Sprintf(", %g %% to the Primary", m.ToPrimary)
	}
	if m.UserData {
		text += ", with user data"
	}
	return text
}

// payees chooses recipients. What it chooses follows from the seed, the payer and the round alone.
type payees struct {
	Mix
	seed    uint64
	shards  int
	shardOf []uint16  // by account, when shares across shards are asked for
	upTo    []float64 // of Zipf: how probable it is that one of the accounts up to this is paid
	primary codec.Address
}

// arrange prepares the choice among accounts of so many shards.
func (m Mix) arrange(seed uint64, accounts []codec.Address, shards int) *payees {
	p := &payees{Mix: m, seed: seed, shards: shards, primary: sha256.Sum256([]byte("fastpay bench primary"))}
	if m.HasCrossShard && shards > 1 {
		p.shardOf = make([]uint16, len(accounts))
		for i := range accounts {
			p.shardOf[i] = uint16(committee.ShardOf(&accounts[i], shards))
		}
	}
	if m.Pattern == Zipf {
		p.upTo = make([]float64, len(accounts))
		sum := 0.0
		for i := range p.upTo {
			sum += math.Pow(float64(i+1), -m.Skew)
			p.upTo[i] = sum
		}
		for i := range p.upTo {
			p.upTo[i] /= sum
		}
	}
	return p
}

// What is drawn for a payment.
const (
	drawRecipient = iota
	drawHot
	drawShard
	drawPrimary
	drawData
)

// draw is a number for a payment, as good as random: two rounds of splitmix64 over its place.
func (p *payees) draw(payer, round, what int) uint64 {
	x := p.seed + uint64(payer)*0x9e3779b97f4a7c15 + uint64(round)*0xbf58476d1ce4e5b9 + uint64(what)*0x94d049bb133111eb
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// chance is true for so many percent of payments.
func (p *payees) chance(payer, round, what int, percent float64) bool {
	return unit01(p.draw(payer, round, what))*100 < percent
}

// unit01 makes a number in [0, 1) of all bits.
func unit01(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// toPrimary reports whether a payment leaves FastPay.
func (p *payees) toPrimary(payer, round int) bool {
	return p.ToPrimary > 0 && p.chance(payer, round, drawPrimary, p.ToPrimary)
}

// of is the account that is paid, of n.
func (p *payees) of(payer, round, n int) int {
	payee := payer - 1
	x := p.draw(payer, round, drawRecipient)
	switch p.Pattern {
	case Uniform:
		payee = int(x % uint64(n))
	case Zipf:
		payee, _ = slices.BinarySearch(p.upTo, unit01(x))
		payee = min(payee, n-1)
	case Hot:
		if p.chance(payer, round, drawHot, p.Percent) {
			payee = int(x % uint64(min(p.Accounts, n)))
		} else {
			payee = int(x % uint64(n))
		}
	}
	if payee < 0 || payee == payer { // nobody pays himself where there is another
		payee = (payer + n - 1) % n
	}
	if p.shardOf == nil {
		return payee
	}
	across := p.chance(payer, round, drawShard, p.CrossShard)
	for range n { // the next before it that is in the right shard
		if payee != payer && (p.shardOf[payee] != p.shardOf[payer]) == across {
			break
		}
		payee = (payee + n - 1) % n
	}
	return payee
}

// redeemed is what left FastPay in the first rounds payments of a payer.
func (p *payees) redeemed(payer int, rounds uint64) (amount uint64) {
	if p.ToPrimary == 0 {
		return 0
	}
	for round := range int(rounds) {
		if p.toPrimary(payer, round) {
			amount += paymentAmount
		}
	}
	return amount
}
