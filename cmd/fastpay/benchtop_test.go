package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fastpay/node"
)

// metricsOf serves what a test puts into n, as an authority does.
func metricsOf(t *testing.T, n *fakeNode) *httptest.Server {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(&nodeCollector{n, "none"}, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s := httptest.NewServer(promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	t.Cleanup(s.Close)
	return s
}

func TestTopView(t *testing.T) {
	n := &fakeNode{gauges: node.Gauges{Shards: []node.ShardGauges{{Number: 0, Accounts: 100}, {Number: 10, Accounts: 50, Pending: 1234}}}}
	s := metricsOf(t, n)
	v := &topView{address: "here"}
	read := func(after time.Duration) string {
		t.Helper()
		m, err := readMetrics(t.Context(), s.URL)
		if err != nil {
			t.Fatal(err)
		}
		m.at = time.Unix(0, 0).Add(after)
		return v.next(m)
	}
	if got := read(0); got != "" {
		t.Errorf("one moment has no rates: %s", got)
	}
	n.stats = node.Stats{Certificates: 20_000, Orders: 30_000, Rejected: 2, Batches: 100, Requests: 50_000, BusyNs: 3e9, BytesIn: 4e6}
	n.gauges.BatchDurations[20], n.gauges.BatchDurations[22] = 75, 25
	got := read(2 * time.Second)
	for _, want := range []string{"settled      10,000/s", "orders       15,000/s", "refused      1/s", "50/s of 500 requests", "in batches 1.50",
		"2.0 MB/s in", "< 1 ms " + bar(1) + " 75.0 %", "< 4 ms " + bar(1./3) + " 25.0 %", "shard 0 " + bar(1) + " 100 accounts, 0 pending",
		"shard 10 " + bar(0.5) + " 50 accounts, 1,234 pending", "durability none"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	n.stats = node.Stats{} // it has started again
	if got := read(3 * time.Second); got != "" {
		t.Errorf("rates across a restart: %s", got)
	}
	for i := range 3 * topHistory {
		read(time.Duration(4+i) * time.Second)
	}
	if len(v.rates) != topHistory {
		t.Errorf("%d rates are kept", len(v.rates))
	}
}

func TestReadMetricsRefuses(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"html":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>no metrics</html>")) },
		"error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("a 1\n", scrapeBytes/2)))
		},
	}
	for name, answer := range answers {
		s := httptest.NewServer(answer)
		if m, err := readMetrics(t.Context(), s.URL); err == nil && name != "endless" || m != nil && m.value("fastpay_orders_total") != 0 {
			t.Errorf("%s: %v", name, m)
		}
		s.Close()
	}
	if _, err := readMetrics(t.Context(), "http://127.0.0.1:1"); err == nil {
		t.Error("metrics of nobody")
	}
}

func TestMetricsURL(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:9464": "http://127.0.0.1:9464/metrics", "http://h:1/": "http://h:1/metrics", "https://h/m": "https://h/m", "[::1]:5": "http://[::1]:5/metrics",
	} {
		if got, err := metricsURL(address); err != nil || got != want {
			t.Errorf("%s: %s, %v", address, got, err)
		}
	}
	for _, bad := range []string{"", "ftp://h", "http://", "a b:1", "::"} {
		if got, err := metricsURL(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

func TestBars(t *testing.T) {
	for share, want := range map[float64]string{0: "", 1: strings.Repeat("█", topBar), 0.5: strings.Repeat("█", topBar/2), -1: "", 7: strings.Repeat("█", topBar),
		1. / topBar / 8: "▏"} {
		if got := bar(share); strings.TrimRight(got, " ") != want || len([]rune(got)) != topBar {
			t.Errorf("%v: %q", share, got)
		}
	}
	if got := ticks([]float64{0, 50, 100}); got != "▁▅█" {
		t.Errorf("got %s", got)
	}
	if got := ticks([]float64{0, 0}); got != "▁▁" {
		t.Errorf("of nothing: %s", got)
	}
	for d, want := range map[time.Duration]string{1024: "1 µs", 131072: "131 µs", 1 << 20: "1 ms", 1 << 31: "2.1 s"} {
		if got := rounded(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
