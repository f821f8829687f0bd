# Who had the CPU while an event loop could run: reads what the kernel's scheduler recorded, and prints how often and how long loops
# waited, behind which threads, and the longest that a loop waited for the thread that makes snapshots (README.md, "A loop that
# waits for its CPU").
#
#	perf script -i FILE -F cpu,time,event,trace | awk -f perf/waits.awk

# field is the value behind name=, which may have spaces in it.
function field(name,    i, rest) {
	i = index($0, name "=")
	if (!i) return ""
	rest = substr($0, i + length(name) + 1)
	if (match(rest, / (prev|next)_[a-z]*=| ==> | pid=| prio=| target_cpu=/)) rest = substr(rest, 1, RSTART - 1)
	return rest
}

# count adds to the waits for a CPU what the thread that had it until now, since began[cpu], made of them.
function count(cpu, now,    tid, from) {
	for (tid in since) if (onto[tid] == cpu && cpu in running) {
		from = since[tid] > began[cpu] ? since[tid] : began[cpu]
		behind[tid, running[cpu]] += now - from
		names[running[cpu]]
	}
}

function begin(tid, cpu, now) { since[tid] = now; onto[tid] = cpu }

function finish(tid, now,    waited, name) {
	waited = now - since[tid]
	delete since[tid]
	waits++
	total += waited
	if (waited > longest) longest = waited
	if (waited > 0.005) beyond++
	for (name in names) if ((tid, name) in behind) {
		all[name] += behind[tid, name]
		if (behind[tid, name] > most[name]) most[name] = behind[tid, name]
		if (waited > 0.005) long[name] += behind[tid, name]
		delete behind[tid, name]
	}
}

{
	cpu = substr($1, 2) + 0 # [001] 12.345678: sched:...
	now = $2 + 0
}

/sched_switch:/ {
	count(cpu, now)
	previous = field("prev_comm"); following = field("next_comm")
	running[cpu] = following; began[cpu] = now
	if (previous ~ /^loop-[0-9]+$/ && field("prev_state") ~ /^R/) begin(field("prev_pid"), cpu, now)
	if (following ~ /^loop-[0-9]+$/ && field("next_pid") in since) finish(field("next_pid"), now)
}

/sched_wak/ {
	if (field("comm") ~ /^loop-[0-9]+$/ && !(field("pid") in since)) begin(field("pid"), field("target_cpu") + 0, now)
}

END {
	printf "%d waits of loops, %.1f ms in all, the longest %.2f ms, %d beyond 5 ms\n", waits, 1e3 * total, 1e3 * longest, beyond
	printf "%-16s %14s %16s %26s\n", "behind thread", "in all, ms", "at most, ms", "in those beyond 5 ms, ms"
	for (name in all) printf "%-16s %14.1f %16.2f %26.2f\n", name, 1e3 * all[name], 1e3 * most[name], 1e3 * long[name] | "sort -k2,2nr -k1,1"
}
