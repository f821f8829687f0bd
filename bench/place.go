package bench

import (
	"fmt"
	"strings"

	"fastpay/node"
	"fastpay/perf"
)

// placement says which CPUs are whose.
type placement struct {
	workers   int
	pin       string // of the authority's workers
	generator int    // CPU of the generator, -1 when it shares with the authority
}

// place puts the generator on a CPU of its own where the authority's workers leave one. On two CPUs the authority takes
// both: one core for each would leave the generator's mostly idle.
func place(cpus []int, shards, workers int) placement {
	if workers == 0 {
		workers = min(shards, max(len(cpus)-1, min(2, len(cpus))))
	}
	if workers >= len(cpus) {
		return placement{workers, "auto", -1}
	}
	var list strings.Builder
	for i, cpu := range cpus[:workers] {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprint(&list, cpu)
	}
	return placement{workers, list.String(), cpus[len(cpus)-1]}
}

// spareDescriptors is what a process needs beside its connections.
const spareDescriptors = 64

// checkDescriptors raises this process's limit of descriptors, and tells when the connections do not fit.
func (o *Options) checkDescriptors() error {
	limit, err := perf.RaiseFileLimit()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	n := o.NumShards * o.Connections
	if o.Topology == WholeCommittee {
		n *= asideConns * o.CommitteeSize
	}
	if uint64(n+spareDescriptors) > limit {
		return fmt.Errorf("bench: %d connections, with %d descriptors a process: raise the limit (ulimit -n)", n, limit)
	}
	return nil
}

// checkPorts tries the ports that were asked for, before anything that takes time.
func (o *Options) checkPorts() error {
	n := o.NumShards
	if o.Topology == WholeCommittee {
		n *= o.CommitteeSize
	}
	for port := o.Port; o.Port != 0 && port < o.Port+n; port++ {
		if err := node.ProbePort(o.Host, port); err != nil {
			return err
		}
	}
	return nil
}
