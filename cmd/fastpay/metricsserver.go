package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fastpay/node"
)

// Bounds of the metrics server, which shares descriptors and memory with the authority.
const (
	metricsConnections = 16 // at a time; more wait in the kernel's queue
	metricsScrapes     = 2  // at a time
	metricsReadTimeout = 5 * time.Second
	metricsIdleTimeout = time.Minute
	metricsHeaderBytes = 16 << 10
	metricsStopTimeout = 2 * time.Second // profiles that are being taken end early
)

// metricsServer serves /metrics, /healthz and /debug/pprof/ of a node over HTTP on loopback. Profiles tell about memory and
// take CPU time, so the address must be one that other machines can't reach.
//
// A nil server is one that nobody asked for: its methods do nothing.
type metricsServer struct {
	http       http.Server
	registry   *prometheus.Registry
	durability string
	log        *slog.Logger
	served     chan struct{}             // closed when it serves no more
	node       atomic.Pointer[node.Node] // nil while it starts
}

// loopbackAddress checks that only this machine can reach address, HOST:PORT.
func loopbackAddress(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return usagef("--metrics %s: expected an address of this machine and a port, such as 127.0.0.1:9464", address)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return withHint(usagef("--metrics %s: expected a loopback address, such as 127.0.0.1:9464", address),
		"metrics and profiles are not for other machines: forward the port, for example with 'ssh -L 9464:127.0.0.1:9464 HOST'")
}

// startMetrics begins to serve, unless address is empty: before the node starts, so that an address in use is known at once.
func startMetrics(address, durability string, log *slog.Logger) (*metricsServer, error) {
	if address == "" {
		return nil, nil
	}
	if err := loopbackAddress(address); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m := &metricsServer{registry: prometheus.NewRegistry(), durability: durability, log: log, served: make(chan struct{})}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.http = http.Server{
		Handler: m.handler(), ReadTimeout: metricsReadTimeout, IdleTimeout: metricsIdleTimeout,
		MaxHeaderBytes: metricsHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	log.Info("Serving metrics on http://" + l.Addr().String() + "/metrics")
	go m.serve(&boundedListener{Listener: l, slots: make(chan struct{}, metricsConnections)})
	return m, nil
}

// serveMetrics is how the authority that bench measures serves its own.
func serveMetrics(address string, n *node.Node) (stop func(), err error) {
	m, err := startMetrics(address, string(n.Durability), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	m.show(n)
	return m.stop, nil
}

func (m *metricsServer) serve(l net.Listener) {
	defer close(m.served)
	if err := m.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		m.log.Error("metrics are not served any more", "error", err)
	}
}

// show adds the counts of the node, which has started.
func (m *metricsServer) show(n *node.Node) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&nodeCollector{n, m.durability})
	m.node.Store(n)
}

func (m *metricsServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", m.health)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: metricsScrapes}))
	return mux
}

// health answers 200 while requests are answered, and 503 before and after.
func (m *metricsServer) health(w http.ResponseWriter, _ *http.Request) {
	n := m.node.Load()
	switch {
	case n == nil:
		http.Error(w, "starting", http.StatusServiceUnavailable)
	case n.Stopping():
		http.Error(w, "stopping", http.StatusServiceUnavailable)
	default:
		_, _ = w.Write([]byte("ok\n"))
	}
}

// stop ends the server; requests that take longer than metricsStopTimeout are cut.
func (m *metricsServer) stop() {
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), metricsStopTimeout)
	defer cancel()
	if err := m.http.Shutdown(ctx); err != nil {
		_ = m.http.Close()
	}
	<-m.served
}

// boundedListener accepts no more connections at a time than it has slots.
type boundedListener struct {
	net.Listener
	slots chan struct{}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &boundedConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

type boundedConn struct {
	net.Conn
	release func()
}

func (c *boundedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
