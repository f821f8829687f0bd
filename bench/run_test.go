package bench

import (
	"context"
	"os"
	"testing"

	"fastpay/node/committee"
)

func TestTry(t *testing.T) {
	o := DefaultOptions()
	o.Protocol = committee.TCP
	o.CommitteeSize = 4
	o.NumShards = 2
	o.NumAccounts = 20000
	o.Seconds = 3
	if os.Getenv("TRY") == "udp" {
		o.Protocol = committee.UDP
	}
	r, err := Run(context.Background(), o, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	r.WriteText(os.Stdout)
	t.Log(r.Err(false), r.PerSecond)
}
