package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Bounds of a scrape.
const (
	scrapeTimeout = 2 * time.Second
	scrapeBytes   = 8 << 20
)

// scrape is the metrics of one process at one moment.
type scrape struct {
	at       time.Time
	families map[string]*dto.MetricFamily
}

// metricsURL completes HOST:PORT, or takes a whole URL as it is.
func metricsURL(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", usagef("%s: expected HOST:PORT, as given to --metrics", address)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	return u.String(), nil
}

// readMetrics asks a process for its metrics.
func readMetrics(ctx context.Context, address string) (*scrape, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(response.Body, scrapeBytes))
	if err != nil {
		return nil, fmt.Errorf("%s has no metrics: %w", address, err)
	}
	return &scrape{time.Now(), families}, nil
}

// value is the sum of a metric over its labels; 0 when there is none.
func (s *scrape) value(name string) (total float64) {
	f := s.families[name]
	if f == nil {
		return 0
	}
	for _, m := range f.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	}
	return total
}

// labelled is a metric by the value of its first label, in order.
func (s *scrape) labelled(name string) (labels []string, values map[string]float64) {
	values = make(map[string]float64)
	f := s.families[name]
	if f == nil {
		return nil, values
	}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			values[l.GetValue()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			break
		}
	}
	labels = slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		if len(a) != len(b) { // numbers
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return labels, values
}

// buckets is a histogram's counts, not cumulative, by upper bound.
func (s *scrape) buckets(name string) (bounds, counts []float64) {
	f := s.families[name]
	if f == nil || len(f.GetMetric()) == 0 {
		return nil, nil
	}
	before := 0.0
	for _, b := range f.GetMetric()[0].GetHistogram().GetBucket() {
		bounds = append(bounds, b.GetUpperBound())
		counts = append(counts, float64(b.GetCumulativeCount())-before)
		before = float64(b.GetCumulativeCount())
	}
	return bounds, counts
}

// label is the value of a label of a metric that has one sample.
func (s *scrape) label(name, label string) string {
	f := s.families[name]
	if f == nil || len(f.GetMetric()) == 0 {
		return ""
	}
	for _, l := range f.GetMetric()[0].GetLabel() {
		if l.GetName() == label {
			return l.GetValue()
		}
	}
	return ""
}
