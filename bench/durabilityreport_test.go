package bench

import (
	"strings"
	"testing"
)

func TestReportOfDurability(t *testing.T) {
	durable, memory, alone := example(), example(), example()
	durable.Durability, durable.RatePerSec = "sync", memory.RatePerSec*0.75
	alone.CommitteeSize, alone.Durability, alone.SyncsPerPayment = 20, "async", 0
	memory.SyncsPerPayment, memory.JournalBytesPerPay = 0, 0
	text := renderDurability([]*Result{alone, durable, memory})
	at := 0
	for _, want := range []string{
		"\n| 4 | none | 41,234 | - | 9.0 / 14.5 / 18.2 | 44.25 | 0 | - | 0 / 0 | yes | valid |\n",
		"| 4 | sync | 30,925 | 75 % | 9.0 / 14.5 / 18.2 | 44.25 | 700 | 250 | 0 / 0 | yes | valid |\n",
		"| 20 | async | 41,234 | - | ",
		"Measured 2026-11-25 at commit 0123456789ab. ",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("expected in this order: %s\n%s", want, text)
		}
		at += i
	}
}
