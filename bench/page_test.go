package bench

import (
	"encoding/json"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fastpay/bench/chart"
)

// pageOf writes a page about results, and returns it.
func pageOf(t *testing.T, results ...*Result) string {
	t.Helper()
	dir := t.TempDir()
	for i, r := range results {
		if err := r.WriteFile(filepath.Join(dir, "runs", fmt.Sprintf("run-%d.json", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "deep", "page.html")
	if err := WritePage(file, filepath.Join(dir, "runs")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// openLoop is a result of an open loop.
func openLoop(asked float64) *Result {
	r := example()
	r.Load = &Load{Loop: "poisson", AskedPerSec: asked, DuePerSec: asked, SentPerSec: asked}
	return r
}

// hostile is a result whose texts are none that a page may hold as they are.
func hostile() *Result {
	r := example()
	r.Command = []string{"fastpay", "bench", `--profile-dir=<script src="http://example.com/x.js"></script>`}
	r.Environment.CPU = `"><img src=http://example.com/a.png onerror=alert(1)>`
	r.Notes = []string{"</td></table><style>*{display:none}</style>"}
	return r
}

func mixed() []*Result {
	results := []*Result{example(), broken(), nothing(), alone(Orders), alone(Confirmations), hostile(), openLoop(1000), openLoop(50_000)}
	for i := range 12 { // more runs than colors
		r := example()
		r.RatePerSec *= float64(1+i) / 4
		r.PerSecond = make([]int, 90)
		for s := range r.PerSecond {
			r.PerSecond[s] = int(r.RatePerSec) + s
		}
		results = append(results, r)
	}
	return results
}

func TestPageIsSelfContained(t *testing.T) {
	text := pageOf(t, mixed()...)
	for _, outside := range []string{`<script`, `<link rel="stylesheet"`, `<img`, `<iframe`, `@import`, `url(`, `href="http`, `src="http`} {
		if strings.Contains(text, outside) {
			t.Errorf("the page has %s", outside)
		}
	}
	if got := strings.Count(text, "<svg "); got != strings.Count(text, "<figure ") || got < 6 {
		t.Errorf("%d charts in %d figures", got, strings.Count(text, "<figure "))
	}
	if again := pageOf(t, mixed()...); again != text {
		t.Error("the same results make another page")
	}
	for _, want := range []string{"41,234", "valid", "rejected, lost, not-conserved, unsteady", "nothing-measured", "transfer orders",
		html.EscapeString(`--profile-dir=<script`)} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}

// TestPageOfLittle: no result is too poor for a page.
func TestPageOfLittle(t *testing.T) {
	bare := &Result{Schema: 1, Phase: "payments"}
	for name, results := range map[string][]*Result{"two": {example(), broken()}, "nothing": {nothing()}, "bare": {bare}} {
		if text := pageOf(t, results...); !strings.Contains(text, "</html>") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s: got\n%s", name, text)
		}
	}
	if err := WritePage(filepath.Join(t.TempDir(), "p.html"), t.TempDir()); err == nil {
		t.Error("a page about an empty folder")
	}
	file := filepath.Join(t.TempDir(), "p.html")
	if err := WritePage(file, filepath.Join(t.TempDir(), "none.json")); err == nil {
		t.Error("a page about a file that is not there")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a page that could not be written is there")
	}
}

func TestNaturally(t *testing.T) {
	names := []string{"rate/100000.json", "tcp-4.json", "rate/20000.json", "tcp-10.json", "rate/020000.json", "a", "", "tcp-4-b.json"}
	slices.SortStableFunc(names, naturally)
	want := []string{"", "a", "rate/20000.json", "rate/020000.json", "rate/100000.json", "tcp-4-b.json", "tcp-4.json", "tcp-10.json"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
}

func TestTicks(t *testing.T) {
	f := func(got []string, want string) {
		t.Helper()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
	labels := func(low, high float64) (l []string) {
		for _, tick := range (chart.NiceTicks{}).Ticks(low, high) {
			l = append(l, tick.Label)
		}
		return l
	}
	f(labels(0, 378095), "0 100k 200k 300k")
	f(labels(0, 1), "0 0.2 0.4 0.6 0.8 1")
	f(labels(0, 7.5), "0 2 4 6")
	f(labels(-0.6, 1), "-0.5 0 0.5 1")
	f(labels(5, 5), "5")
	f(labels(math.NaN(), 1), "NaN")
	f(labels(0, 3.2e6), "0 1M 2M 3M")
	var logs []string
	for _, tick := range (chart.LogTicks{}).Ticks(0.3, 40) {
		logs = append(logs, tick.Label)
	}
	f(logs, "0.5 1 2 5 10 20")
}

// lookingPage shows the page in a frame as wide as a phone or a desktop, and writes what it looks like into its own document.
const lookingPage = `<!doctype html><title>probe</title><iframe src="/page.html" style="width:%dpx;height:900px;border:0"></iframe>
<pre id="out"></pre><script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {
  const d = frame.contentDocument, w = frame.contentWindow;
  const seen = e => { const b = e.getBoundingClientRect(), s = w.getComputedStyle(e);
    return b.width > 200 && b.height > 100 && b.left >= 0 && b.right <= w.innerWidth + 1 && s.visibility === "visible" && s.display !== "none" };
  const charts = [...d.querySelectorAll("figure svg")];
  document.getElementById("out").textContent = JSON.stringify({
    figures: d.querySelectorAll("figure").length,
    visible: charts.filter(seen).length,
    drawn: charts.filter(e => e.querySelectorAll("path").length > 5).length,
    smallest: Math.min(...[...d.querySelectorAll("figure svg text")].map(e => e.getBoundingClientRect()).map(b => Math.min(b.width, b.height))),
    ink: charts.length ? w.getComputedStyle(charts[0].querySelector("text")).fill : "",
    background: w.getComputedStyle(d.body).backgroundColor,
    wide: d.documentElement.scrollWidth - w.innerWidth,
    loaded: w.performance.getEntriesByType("resource").map(e => e.name),
  });
}, 50);
</script>`

type seenPage struct {
	Figures, Visible, Drawn int
	Smallest                float64
	Ink, Background         string
	Wide                    int
	Loaded                  []string
}

// TestPageInBrowser: a browser shows every figure, on a desktop and a phone, in light and dark, complains about nothing, and
// asks nobody for anything.
func TestPageInBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	if testing.Short() {
		t.Skip("starts a browser")
	}
	text := pageOf(t, mixed()...)
	var asked sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, true)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch width := 0; {
		case r.URL.Path == "/page.html":
			fmt.Fprint(w, text)
		default:
			_, _ = fmt.Sscanf(r.URL.Path, "/probe/%d", &width)
			fmt.Fprintf(w, lookingPage, width)
		}
	}))
	defer server.Close()
	f := func(width int, flags ...string) seenPage {
		t.Helper()
		got, complaints := browse(t, browser, fmt.Sprintf("%s/probe/%d", server.URL, width), flags...)
		if complaints != "" {
			t.Errorf("%d px: the browser's console: %s", width, complaints)
		}
		if got.Figures < 6 || got.Visible != got.Figures || got.Drawn != got.Figures || got.Wide > 0 || len(got.Loaded) > 0 || got.Smallest < 4 {
			t.Errorf("%d px: %+v", width, got)
		}
		return got
	}
	light := f(1200)
	dark := f(390, "--blink-settings=preferredColorScheme=0")
	if light.Ink == dark.Ink || light.Background == dark.Background {
		t.Errorf("light %+v, dark %+v", light, dark)
	}
	asked.Range(func(path, _ any) bool {
		if p := path.(string); p != "/page.html" && !strings.HasPrefix(p, "/probe/") && p != "/favicon.ico" { // of the probe
			t.Errorf("the page asks for %s", p)
		}
		return true
	})
}

var probed = regexp.MustCompile(`(?s)<pre id="out">(.*?)</pre>`)

// browse loads an address, and returns what the probe found, and the lines of the browser's console.
func browse(t *testing.T, browser, address string, flags ...string) (got seenPage, console string) {
	t.Helper()
	flags = append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), "--enable-logging=stderr",
		"--virtual-time-budget=5000", "--window-size=1300,1000", "--dump-dom", address)
	cmd := exec.CommandContext(t.Context(), browser, flags...)
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, stderr.String())
	}
	found := probed.FindSubmatch(out)
	if found == nil || json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &got) != nil {
		t.Fatalf("the probe wrote nothing: %s\n%s", out, stderr.String())
	}
	for line := range strings.Lines(stderr.String()) {
		if strings.Contains(line, "CONSOLE") {
			console += line
		}
	}
	return got, console
}
