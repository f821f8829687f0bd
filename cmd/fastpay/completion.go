package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fastpay/bench"
	"fastpay/bench/paper"
	"fastpay/node"
	"fastpay/node/sim"
	"fastpay/perf"
)

// choices are the values that a shell offers for a flag. A value that ends in a letter of opening goes on.
type choices struct {
	values []string
	list   bool // several, with commas
}

// opening ends a choice that more must follow.
const opening = ":<"

// choicesOf is what a flag of a command may be, by the flag's name, or the command's and the flag's where commands differ.
var choicesOf = map[string]choices{
	"log-level":  {values: []string{"debug", "info", "warn", "error"}},
	"protocol":   {values: []string{"udp", "tcp"}},
	"topology":   {values: bench.TopologyNames()},
	"phase":      {values: bench.PhaseNames()},
	"arrival":    {values: bench.ArrivalNames()},
	"workload":   {values: bench.PatternNames()},
	"durability": {values: []string{string(node.DurabilitySync), string(node.DurabilityAsync), string(node.DurabilityNone)}},
	"retain":     {values: []string{"all", "none"}},
	"pin":        {values: []string{"auto", "off"}},
	"profile":    {values: perf.ProfileKinds, list: true},
	"slo":        {values: []string{"p50<", "p90<", "p99<", "p99.9<", "max<"}, list: true},
	"faults":     {values: bench.FaultNames(), list: true},
	"sim faults": {values: append(slices.Clone(sim.FaultNames()), "all", "none"), list: true},
	"vary":       {values: bench.CurveNames()},
	"scale":      {values: bench.ScaleNames()},
	"figure":     {values: append(slices.Clone(paper.FigureIDs()), "all"), list: true},
	"attacks":    {values: append(bench.AttackNames(), "all"), list: true},
	"fail-if":    {values: suffixed(bench.MetricNames(), "<")},
}

func suffixed(names []string, with string) []string {
	longer := make([]string, len(names))
	for i, name := range names {
		longer[i] = name + with
	}
	return longer
}

// complete tells shells the values of all flags of a command and of those below it: the choices, or for numbers and times
// nothing. Files are offered for the others.
func complete(cmd *cobra.Command) {
	offer := func(f *pflag.Flag) {
		c, is := choicesOf[cmd.Name()+" "+f.Name]
		if !is {
			c, is = choicesOf[f.Name]
		}
		switch {
		case is:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, c.offer) // fails for a flag that has one already
		case f.Value.Type() != "string" && !strings.HasPrefix(f.Value.Type(), "string"):
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	}
	cmd.Flags().VisitAll(offer)
	cmd.PersistentFlags().VisitAll(offer)
	for _, sub := range cmd.Commands() {
		complete(sub)
	}
}

// offer is a cobra.CompletionFunc.
func (c choices) offer(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if at := strings.LastIndexByte(begun, ','); c.list && at >= 0 {
		before = begun[:at+1]
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	var fitting []string
	for _, value := range c.values {
		if strings.HasPrefix(before+value, begun) {
			fitting = append(fitting, before+value)
		}
		if strings.ContainsAny(value[len(value)-1:], opening) {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
	}
	return fitting, directive
}
