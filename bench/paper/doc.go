// Package paper knows what the paper's evaluation was: its figures and tables with their axes and series, and the numbers
// that it measured (data/, recomputed from the logs that the prototype's authors published). It describes the folder in
// which a run of the same experiments lies (manifest.go), and renders figures of it: CSV (observation.go), Markdown
// (table.go), SVG (drawing.go), and the headline (headline.go).
//
// It runs nothing and writes nothing: package bench does, and hands over what it measured as observations. One
// observation is one run's rate, or the latency of one order; summaries are made of them and never stored.
//
// Numbers of this machine and of the paper's never mix: each observation has its source. Where the axes differ, tables
// say what is set beside what.
package paper
