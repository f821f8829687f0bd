package bench

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
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
	"fastpay/bench/paper"
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
	if err := WritePage(file, io.Discard, filepath.Join(dir, "runs")); err != nil {
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
	if got := strings.Count(text, "<svg ") + strings.Count(text, `"chart bars"`); got != strings.Count(text, "<figure ") || got < 6 {
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
	if err := WritePage(filepath.Join(t.TempDir(), "p.html"), io.Discard, t.TempDir()); err == nil {
		t.Error("a page about an empty folder")
	}
	file := filepath.Join(t.TempDir(), "p.html")
	if err := WritePage(file, io.Discard, filepath.Join(t.TempDir(), "none.json")); err == nil {
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

// lookingPage shows the page in frames as wide as a desktop and a phone, and writes what it looks like into its own document. A
// figure is seen when it is within the frame; contrast is that of WCAG, of any text to what is behind it.
const lookingPage = `<!doctype html><meta name="color-scheme" content="light dark"><title>probe</title>
<iframe src="/page.html?wide" style="width:1200px;height:900px;border:0"></iframe>
<iframe src="/page.html?narrow" style="width:390px;height:900px;border:0"></iframe>
<pre id="out"></pre><script>
function rgb(s) { const v = s.match(/[\d.]+/g).map(Number); return v.length > 3 && v[3] === 0 ? null : v }
function light(c) { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b }
function look(frame) {
  const d = frame.contentDocument, w = frame.contentWindow, box = e => e.getBoundingClientRect();
  const seen = e => { const b = box(e), s = w.getComputedStyle(e);
    return b.width > 200 && b.height > 40 && b.left >= 0 && b.right <= w.innerWidth + 1 && s.visibility === "visible" && s.display !== "none" };
  function contrast(e) {
    const s = w.getComputedStyle(e), ink = rgb(e.closest("svg") ? s.fill : s.color);
    let back = null;
    for (let p = e; p && !back; p = p.parentElement) back = rgb(w.getComputedStyle(p).backgroundColor);
    const [a, b] = [light(ink), light(back || [255, 255, 255])];
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }
  const figures = [...d.querySelectorAll("figure")], charts = figures.map(e => e.querySelector(".chart"));
  const texts = [...d.body.querySelectorAll("*")].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && box(e).width > 0);
  const worst = texts.map(e => [contrast(e), e.tagName + ": " + e.textContent.trim().slice(0, 30)]).sort((a, b) => a[0] - b[0])[0];
  return {
    figures: figures.length, visible: charts.filter(e => e && seen(e)).length,
    drawn: charts.filter(e => e && (e.tagName === "svg" ? e.querySelectorAll("path").length > 5 : e.querySelectorAll("i b").length > 0)).length,
    smallest: Math.min(...[...d.querySelectorAll("figure svg text, figure .bars span")].map(box).map(b => Math.min(b.width, b.height))),
    background: w.getComputedStyle(d.body).backgroundColor, contrast: worst[0], palest: worst[1],
    wide: d.documentElement.scrollWidth - w.innerWidth,
    scrolling: [...d.querySelectorAll(".wide")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    loaded: w.performance.getEntriesByType("resource").map(e => e.name),
    broken: [...d.querySelectorAll("nav a")].filter(e => !d.querySelector(e.getAttribute("href"))).length,
  };
}
onload = () => setTimeout(() => {
  document.getElementById("out").textContent = JSON.stringify([...document.querySelectorAll("iframe")].map(look));
}, 50);
</script>`

type seenPage struct {
	Figures, Visible, Drawn int
	Smallest, Contrast      float64
	Palest, Background      string
	Wide, Scrolling, Broken int
	Loaded                  []string
}

// TestPageInBrowser: a browser shows every figure, on a desktop and a phone, in light and dark, complains about nothing, and
// asks nobody for anything; of runs of every kind, and of the results that are recorded, which have the paper's figures.
func TestPageInBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	if testing.Short() {
		t.Skip("starts a browser")
	}
	t.Run("examples", func(t *testing.T) {
		lookAt(t, browser, pageAbout(t, exampleDir(t)), 15)
	})
	t.Run("recorded", func(t *testing.T) {
		text := pageAbout(t, "../perf/results")
		for _, f := range paper.Figures {
			for _, side := range []string{"ours", "paper"} {
				drawn := f.ID != "table1" // which is numbers only
				if id := fmt.Sprintf(`id="paper-1-%s-%s"`, f.ID, side); strings.Contains(text, id) != drawn {
					t.Errorf("%s, the side %s: drawn %v", f.Name(), side, !drawn)
				}
			}
			if !strings.Contains(text, html.EscapeString(f.Title)) {
				t.Errorf("%s is not on the page", f.Name())
			}
		}
		lookAt(t, browser, text, 30)
	})
}

// lookAt has the browser show a page of at least so many figures.
func lookAt(t *testing.T, browser, text string, figures int) {
	t.Helper()
	const most = 2 << 20
	if len(text) > most {
		t.Errorf("the page has %d bytes", len(text))
	}
	var asked sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, true)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/page.html" {
			fmt.Fprint(w, text)
		} else {
			fmt.Fprint(w, lookingPage)
		}
	}))
	defer server.Close()
	f := func(name string, flags ...string) (background string) {
		t.Helper()
		frames, complaints := browse(t, browser, server.URL+"/probe", flags...)
		if complaints != "" {
			t.Errorf("%s: the browser's console: %s", name, complaints)
		}
		if len(frames) != 2 {
			t.Fatalf("%s: %d frames", name, len(frames))
		}
		for i, got := range frames {
			if got.Figures < figures || got.Visible != got.Figures || got.Drawn != got.Figures || got.Wide > 0 || len(got.Loaded) > 0 ||
				got.Smallest < 4 || got.Broken > 0 || got.Contrast < 4.5 {
				t.Errorf("%s, frame %d: %+v", name, i, got)
			}
		}
		if frames[1].Scrolling == 0 {
			t.Errorf("%s: no table scrolls in itself on a phone", name)
		}
		return frames[0].Background
	}
	if light, dark := f("light"), f("dark", "--blink-settings=preferredColorScheme=0"); light == dark {
		t.Errorf("light and dark: %s", light)
	}
	asked.Range(func(path, _ any) bool {
		if p := path.(string); p != "/page.html" && p != "/probe" && p != "/favicon.ico" { // of the probe
			t.Errorf("the page asks for %s", p)
		}
		return true
	})
}

// exampleDir has runs of every kind, curves, a sweep with a knee, single transfers and signatures.
func exampleDir(t *testing.T) string {
	t.Helper()
	dir := exampleRunDir(t)
	for i, r := range mixed() {
		if err := r.WriteFile(filepath.Join(dir, "runs", fmt.Sprintf("run-%d.json", i+1))); err != nil {
			t.Fatal(err)
		}
	}
	for i, rate := range []float64{20_000, 40_000, 60_000, 80_000} {
		r := openLoop(rate)
		slow := int64(1000 * (i + 1) * (i*i*i*i + 1))
		r.LatencyUs.Confirmation.P99 = &slow
		if err := r.WriteFile(filepath.Join(dir, "sweep", fmt.Sprintf("rate-%.0f.json", rate))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pageAbout is the page about a folder of results.
func pageAbout(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := WritePage(file, io.Discard, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var probed = regexp.MustCompile(`(?s)<pre id="out">(.*?)</pre>`)

// browse loads an address, and returns what the probe found, and the lines of the browser's console.
func browse(t *testing.T, browser, address string, flags ...string) (got []seenPage, console string) {
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
