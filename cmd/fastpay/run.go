package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"fastpay/codec"
	"fastpay/node"
	"fastpay/node/committee"
)

type runFlags struct {
	committee       string
	initialAccounts string
	shards          []string
	shardHosts      []string
	host            string
	bufferSize      int
	queueSize       int
	workers         int
	pin             string
	durability      string
	dataDir         string
	acceptLost      bool
	retain          string
	metrics         string
}

// newRunCommand is "server run": one authority, or some of its shards, until a signal.
func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run --initial-accounts FILE --committee FILE",
		Short: "Run an authority, or some of its shards, until SIGINT or SIGTERM",
		Long: `Runs the authority of the server file, on all its shards or on those given by --shard, and prints a line
"Listening to ..." for each port once all of them accept. Every port serves TCP and UDP. SIGINT and SIGTERM end it in
order: what has been received is answered first.

What it signs and settles is in a journal in the data directory, and no reply leaves before that is durable, so it can be
killed at any time and started again. --durability async syncs soon after replying: after a crash it starts again only with
--accept-lost-votes. --durability none keeps everything in memory, and wants all shards in one process: an authority that
is started again has forgotten what it signed.

The initial accounts are funded by the first start; later ones compare the file and don't apply it. 'server add-accounts'
adds accounts to it.`,
		Example: `  # all shards in one process
  server --server server1.json run --initial-accounts initial_accounts.txt --committee committee.json

  # with metrics for Prometheus, health and profiles for this machine alone
  server --server server1.json run --metrics 127.0.0.1:9464 --initial-accounts initial_accounts.txt --committee committee.json
  curl http://127.0.0.1:9464/metrics http://127.0.0.1:9464/healthz
  go tool pprof -http=: http://127.0.0.1:9464/debug/pprof/profile?seconds=10

  # shards 0, 2 and 3 here, shard 1 in another process, which may share the data directory, or on another host
  server --server server1.json run --shard 0,2-3 --initial-accounts initial_accounts.txt --committee committee.json
  server --server server1.json run --shard 0,2-3 --shard-host 1=10.0.0.2 --initial-accounts initial_accounts.txt --committee committee.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServer(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.committee, "committee", "", "`FILE` with the lines that generate printed, of all authorities")
	flags.StringVar(&f.initialAccounts, "initial-accounts", "", "`FILE` with lines ADDRESS:BALANCE")
	flags.StringArrayVar(&f.shards, "shard", nil, "shards to run, `I or I,J-K`; repeatable (default all)")
	flags.StringArrayVar(&f.shardHosts, "shard-host", nil,
		"`I=HOST` where shard I of this authority is, if not where the committee file says; repeatable")
	flags.StringVar(&f.host, "host", "0.0.0.0", "`ADDRESS` to listen on")
	flags.IntVar(&f.bufferSize, "buffer-size", codec.DefaultMaxMessage, "largest message in `BYTES`")
	flags.IntVar(&f.queueSize, "cross-shard-queue-size", 0, "accepted for the prototype's scripts; queues are bounded in bytes")
	flags.IntVar(&f.workers, "workers", 0, "`N`umber of event loops (default one a shard, at most one a CPU)")
	flags.StringVar(&f.pin, "pin", "auto", "CPUs of the workers: `auto, off or LIST` such as 0,2-3")
	flags.StringVar(&f.durability, "durability", string(node.DurabilitySync),
		"what is on disk before a reply leaves: `MODE` sync, async (soon after), none (nothing is kept)")
	flags.BoolVar(&f.acceptLost, "accept-lost-votes", false,
		"start although votes may be lost: the authority may sign twice for one sequence number, which counts as faulty")
	flags.StringVar(&f.retain, "retain", "all",
		"what is kept of the journal behind snapshots, to read certificates back: `all, none or a SIZE` such as 20GiB")
	addDataDirFlag(cmd, &f.dataDir)
	flags.StringVar(&f.metrics, "metrics", "", "serve /metrics, /healthz and /debug/pprof/ on the loopback `ADDRESS:PORT`")
	return cmd
}

func runServer(cmd *cobra.Command, f *runFlags) error {
	log, err := newLogger(cmd, "server")
	if err != nil {
		return err
	}
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	options.Logger = log
	if len(options.Shards) == 0 {
		log.Info("Running all shards")
	}
	for _, s := range options.Shards {
		log.Info(fmt.Sprintf("Running shard number %d", s))
	}
	metrics, err := startMetrics(f.metrics, f.durability, log)
	if err != nil {
		return err
	}
	defer metrics.stop()
	n, err := node.Start(*options)
	if err != nil {
		return hintNode(err)
	}
	metrics.show(n)
	logRecovery(log, n.Recovery())
	runtime.GOMAXPROCS(max(n.Workers()+node.SpareProcs, runtime.GOMAXPROCS(0)))
	for _, s := range n.Shards() {
		address := net.JoinHostPort(f.host, strconv.Itoa(options.Member.BasePort+s))
		log.Info(fmt.Sprintf("Listening to %s traffic on %s", options.Member.Protocol, address))
	}
	context.AfterFunc(cmd.Context(), func() {
		log.Info("Stopping")
		_ = n.Stop(context.Background()) // its error is Wait's
	})
	err = n.Wait()
	s := n.Stats()
	log.Info("Stopped", "orders", s.Orders, "certificates", s.Certificates, "infos", s.Infos, "rejected", s.Rejected,
		"credits", s.Credits, "signatures", s.Signatures, "batches", s.Batches)
	return hintNode(err)
}

// options reads the files and checks what needs them; the rest is checked by node.Start.
func (f *runFlags) options(cmd *cobra.Command) (*node.Options, error) {
	path, err := serverPath(cmd)
	if err != nil {
		return nil, err
	}
	if f.initialAccounts == "" {
		return nil, required("--initial-accounts FILE", "it holds what 'client create_accounts' printed")
	}
	server, err := readServerFile(path)
	if err != nil {
		return nil, err
	}
	members, err := readCommittee(f.committee)
	if err != nil {
		return nil, err
	}
	member, err := ownMember(members, server, f.committee)
	if err != nil {
		return nil, err
	}
	shards, err := parseShards(f.shards, member.NumShards)
	if err != nil {
		return nil, err
	}
	shardHosts, err := parseShardHosts(f.shardHosts, member.NumShards)
	if err != nil {
		return nil, err
	}
	durability, err := node.ParseDurability(f.durability)
	if err != nil {
		return nil, usagef("%s", err)
	}
	retain, err := node.ParseRetain(f.retain)
	if err != nil {
		return nil, usagef("%s", err)
	}
	accounts, err := readInitialAccounts(f.initialAccounts)
	if err != nil {
		return nil, err
	}
	return &node.Options{
		Committee:        members,
		Member:           *member,
		Key:              server.Key,
		Shards:           shards,
		ShardHosts:       shardHosts,
		Accounts:         accounts.all(),
		ExpectedAccounts: len(accounts.addresses),
		BindHost:         f.host,
		Workers:          f.workers,
		Pin:              f.pin,
		MaxMessage:       f.bufferSize,
		Durability:       durability,
		DataDir:          dataDirOf(f.dataDir, path),
		AcceptLostVotes:  f.acceptLost,
		Retain:           retain,
	}, nil
}

// readCommittee reads the file that --committee names.
func readCommittee(path string) (*committee.Committee, error) {
	if path == "" {
		return nil, required("--committee FILE", "it holds the lines that 'server generate' printed, of all authorities")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, hintIfMissing(fmt.Errorf("committee file: %w", err),
			"'server --server FILE generate ... >> "+path+"', once for each authority, makes it")
	}
	c, err := committee.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("committee file %s: %w", path, err)
	}
	return c, nil
}

// ownMember is the server's entry in the committee, which must place its shards where the server file does: an account
// would be looked for in another shard than the one that keeps it.
func ownMember(c *committee.Committee, server *committee.Server, path string) (*committee.Member, error) {
	i, ok := c.Index(&server.Authority.Name)
	if !ok {
		return nil, withHint(fmt.Errorf("committee file %s: this authority is not in it", path),
			"append the line that generate printed when it made the server file")
	}
	m := c.Member(i)
	if m.BasePort != server.Authority.BasePort || m.NumShards != server.Authority.NumShards {
		return nil, fmt.Errorf("committee file %s: this authority has %d shards from port %d there, and %d from port %d in its server file",
			path, m.NumShards, m.BasePort, server.Authority.NumShards, server.Authority.BasePort)
	}
	return m, nil
}
