package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"fastpay/crypto"
	"fastpay/node/committee"
)

// newGenerateCommand is "server generate": a new authority.
func newGenerateCommand() *cobra.Command {
	var (
		protocol   string
		host       string
		port       int
		shards     int
		weight     uint64
		shardHosts []string
		mayReplace bool
	)
	cmd := &cobra.Command{
		Use:   "generate --host HOST --port PORT --shards N",
		Short: "Make an authority: its key in the server file, its line of the committee file on stdout",
		Long: `Makes a key and writes it to the server file, which only its owner can read. Prints one line for the committee
file, which all authorities and clients share. Shard number I listens on port PORT + I.`,
		Example: `  server --server server1.json generate --host 127.0.0.1 --port 9100 --shards 4 >> committee.json

  # shards 0 and 1 on one host, 2 and 3 on another
  server --server server2.json generate --host 10.0.0.1 --shard-host 2-3=10.0.0.2 --port 9100 --shards 4 >> committee.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := serverPath(cmd)
			if err != nil {
				return err
			}
			if host == "" {
				return required("--host HOST", "where clients find the authority, for example --host 127.0.0.1")
			}
			if !cmd.Flags().Changed("port") {
				return required("--port PORT", "the port of the first shard, for example --port 9100")
			}
			if !cmd.Flags().Changed("shards") {
				return required("--shards N", "how many shards share the accounts, for example --shards 4")
			}
			member, err := newMember(protocol, host, port, shards, weight)
			if err == nil {
				member.Hosts, err = hostsOfShards(shardHosts, &member)
			}
			if err != nil {
				return err
			}
			return generate(cmd, path, member, mayReplace)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&protocol, "protocol", "Udp", "what clients speak to this authority: `Udp or Tcp`")
	flags.StringVar(&host, "host", "", "`HOST` name or address where clients find it")
	flags.IntVar(&port, "port", 0, "`PORT` of the first shard")
	flags.IntVar(&shards, "shards", 0, "`N`umber of shards, fixed for the authority's life")
	flags.StringArrayVar(&shardHosts, "shard-host", nil, "`I=HOST` where clients find shard I, if not on --host; repeatable")
	flags.Uint64Var(&weight, "weight", 1, "voting `WEIGHT`")
	flags.BoolVar(&mayReplace, "force", false, "replace the server file: the key in it is lost")
	return cmd
}

// hostsOfShards is the host of each shard; nil when that is the member's host for all of them.
func hostsOfShards(values []string, m *committee.Member) ([]string, error) {
	given, err := parseShardHosts(values, m.NumShards)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	hosts := make([]string, m.NumShards)
	for i := range hosts {
		if hosts[i] = m.Host; given[i] != "" {
			hosts[i] = given[i]
		}
	}
	return hosts, nil
}

// newMember checks what was asked for.
func newMember(protocol, host string, port, shards int, weight uint64) (committee.Member, error) {
	m := committee.Member{Weight: weight, Host: host, BasePort: port, NumShards: shards}
	var err error
	if m.Protocol, err = committee.ParseProtocol(protocol); err != nil {
		return m, usagef("--protocol %q is neither Udp nor Tcp", protocol)
	}
	switch {
	case strings.ContainsAny(host, " \t\r\n/"):
		return m, usagef("host %q is neither a name nor an address", host)
	case shards < 1:
		return m, usagef("--shards is %d: an authority has at least one shard", shards)
	case port < 1 || port > committee.MaxPort:
		return m, usagef("--port is %d: a port is 1 to %d", port, committee.MaxPort)
	case shards > committee.MaxPort-port+1:
		return m, usagef("%d shards from port %d need ports up to %d: the last one is %d", shards, port, port+shards-1, committee.MaxPort)
	case weight < 1:
		return m, usagef("--weight is 0: an authority without weight has no vote")
	}
	return m, nil
}

func generate(cmd *cobra.Command, path string, member committee.Member, mayReplace bool) error {
	log, err := newLogger(cmd, "server")
	if err != nil {
		return err
	}
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	member.Name = key.Public()
	line, err := json.Marshal(member)
	if err != nil {
		return err
	}
	err = writeServerFile(path, &committee.Server{Authority: member, Key: key}, mayReplace)
	if errors.Is(err, fs.ErrExist) {
		return withHint(err, "it holds the key of an authority: remove it if that is no longer needed, or use --force")
	}
	if err != nil {
		return err
	}
	log.Info("Wrote server config file")
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
	return err
}
