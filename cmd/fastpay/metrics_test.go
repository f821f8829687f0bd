package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"fastpay/node"
)

// fakeNode has the counts that a test gives it.
type fakeNode struct {
	stats    node.Stats
	gauges   node.Gauges
	recovery node.Recovery
}

func (f *fakeNode) Stats() node.Stats       { return f.stats }
func (f *fakeNode) Gauges() node.Gauges     { return f.gauges }
func (f *fakeNode) Recovery() node.Recovery { return f.recovery }

// gathered is all samples of n's metrics, and of the process's and the runtime's, by name.
func gathered(t *testing.T, n *fakeNode) map[string][]float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(&nodeCollector{n, "none"}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string][]float64)
	for _, f := range families {
		name := f.GetName()
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				samples[name+"_count"] = append(samples[name+"_count"], float64(h.GetSampleCount()))
				samples[name+"_sum"] = append(samples[name+"_sum"], h.GetSampleSum())
				for _, b := range h.GetBucket() {
					samples[name+"_bucket"] = append(samples[name+"_bucket"], float64(b.GetCumulativeCount()))
				}
				continue
			}
			samples[name] = append(samples[name], m.GetCounter().GetValue()+m.GetGauge().GetValue()+m.GetSummary().GetSampleSum())
		}
	}
	return samples
}

// ours leaves out the process and the runtime, which change by themselves.
func ours(samples map[string][]float64) map[string][]float64 {
	maps.DeleteFunc(samples, func(name string, _ []float64) bool { return !strings.HasPrefix(name, "fastpay_") })
	return samples
}

// TestEveryCountIsAMetric: a field that changes must change a metric.
func TestEveryCountIsAMetric(t *testing.T) {
	empty := ours(gathered(t, new(fakeNode)))
	f := func(name string, change func(*fakeNode)) {
		t.Helper()
		n := new(fakeNode)
		change(n)
		if reflect.DeepEqual(ours(gathered(t, n)), empty) {
			t.Errorf("no metric shows %s: add it to metrics.go", name)
		}
	}
	for i := range reflect.TypeFor[node.Stats]().NumField() {
		f("node.Stats."+reflect.TypeFor[node.Stats]().Field(i).Name, func(n *fakeNode) { set(t, reflect.ValueOf(&n.stats).Elem().Field(i)) })
	}
	for i := range reflect.TypeFor[node.Gauges]().NumField() {
		f("node.Gauges."+reflect.TypeFor[node.Gauges]().Field(i).Name, func(n *fakeNode) { set(t, reflect.ValueOf(&n.gauges).Elem().Field(i)) })
	}
	for _, name := range []string{"Records", "Bytes", "Redelivered", "SnapshotTook", "Took"} {
		f("node.Recovery."+name, func(n *fakeNode) { set(t, reflect.ValueOf(&n.recovery).Elem().FieldByName(name)) })
	}
}

func set(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Array:
		v.Index(20).SetUint(7)
	default:
		t.Fatalf("the test can't set a %s", v.Type())
	}
}

func TestBatchBuckets(t *testing.T) {
	var d [64]uint64
	d[3], d[firstBucket], d[20], d[lastBucket], d[50] = 1, 2, 4, 8, 16
	buckets, count := batchBuckets(&d)
	if count != 31 || len(buckets) != lastBucket-firstBucket+1 {
		t.Errorf("%d in %d buckets", count, len(buckets))
	}
	for bound, want := range map[float64]uint64{1024e-9: 3, 2048e-9: 3, 1048576e-9: 7, 17.179869184: 15} {
		if buckets[bound] != want {
			t.Errorf("below %v s: %d, want %d", bound, buckets[bound], want)
		}
	}
}

// TestDashboard: it is a dashboard, and asks for nothing that /metrics does not have.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "perf", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title  string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	n := &fakeNode{gauges: node.Gauges{Shards: make([]node.ShardGauges, 1)}}
	have := gathered(t, n)
	metricName := regexp.MustCompile(`\b(fastpay|go|process)_[a-z0-9_]+`)
	asked := make(map[string]bool)
	ids := make(map[int]bool)
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Title == "" {
			t.Errorf("panel %d %q: its number is taken, it is wider than the page, or has no title", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("panel %q: no metric is in %s", p.Title, target.Expr)
			}
			for _, name := range names {
				asked[name] = true
			}
		}
	}
	if d.Title == "" || len(asked) < 20 {
		t.Errorf("%q asks for %d metrics only", d.Title, len(asked))
	}
	for name := range asked {
		if _, ok := have[name]; !ok {
			t.Errorf("the dashboard asks for %s, which /metrics does not have", name)
		}
	}
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	for _, variable := range regexp.MustCompile(`\$\{?([a-z]+)\}?`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(names, variable[1]) {
			t.Errorf("the dashboard uses $%s, which it does not define", variable[1])
		}
	}
}

func TestLoopbackAddress(t *testing.T) {
	for _, good := range []string{"127.0.0.1:9464", "localhost:0", "[::1]:1", "127.3.4.5:80"} {
		if err := loopbackAddress(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "9464", ":9464", "0.0.0.0:9464", "[::]:1", "10.0.0.1:9464", "example.com:80", "127.0.0.1", "localhost.evil:1"} {
		if err := loopbackAddress(bad); err == nil {
			t.Errorf("%q is taken for loopback", bad)
		}
	}
}

// TestMetricsServer: its life around that of a node, which here never starts.
func TestMetricsServer(t *testing.T) {
	var none *metricsServer // nobody asked for one
	none.show(nil)
	none.stop()
	m, err := startMetrics("127.0.0.1:0", "none", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{} // the port is not told: the handler is tried by itself
	server.Handler = m.handler()
	f := func(path string, status int, want string) {
		t.Helper()
		w := &recorder{header: make(http.Header), status: http.StatusOK}
		r, err := http.NewRequest("GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		server.Handler.ServeHTTP(w, r)
		if w.status != status || !strings.Contains(w.body.String(), want) {
			t.Errorf("%s: %d %.300s", path, w.status, w.body.String())
		}
	}
	f("/healthz", http.StatusServiceUnavailable, "starting")
	f("/metrics", http.StatusOK, "go_goroutines ")
	f("/debug/pprof/", http.StatusOK, "goroutine")
	f("/", http.StatusNotFound, "")
	m.stop()
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header                    { return r.header }
func (r *recorder) WriteHeader(status int)                 { r.status = status }
func (r *recorder) Write(b []byte) (int, error)            { return r.body.Write(b) }
func (r *recorder) ReadFrom(from io.Reader) (int64, error) { return io.Copy(&r.body, from) }
