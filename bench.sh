#!/bin/sh
# Builds bin/ and measures. The results go into the run directory perf/results, each mode's in place of its own, and RESULTS.md
# and the README's table are written from all that is there: all three are to be committed together.
#
#	./bench.sh           committees of 4, 10 and 20 over TCP and 4 over UDP, each phase alone, single transfers: under five minutes
#	./bench.sh --curves  the rate against in flight, accounts, committee, connections, shards on one core, and the latency
#	                     against the rate asked for: nine minutes
#	./bench.sh --soak    two million payments, and a start with a million accounts: a minute
#	./bench.sh --durability  4 and 20 authorities in memory, with a journal behind the replies, and before them, in turn; what a
#	                     journal adds to a transfer; memory over six million payments with snapshots; what these do to replies;
#	                     a start after a kill, and one with ten million accounts: eight minutes
#	./bench.sh --attacks one authority beside attackers, each kind in turn, and overload: five minutes
#	./bench.sh --crypto  signatures alone, on one core: under two minutes
#	./bench.sh --paper   every figure and table of the paper, in results/paper: eleven minutes; goes on where it was interrupted
#	./bench.sh --quick   tries that all of it works, in seconds, and leaves both as they are
set -eu
cd "$(dirname "$0")"

mode=${1-default}
case "$mode" in
	default | --quick | --curves | --soak | --durability | --attacks | --crypto | --paper) ;;
	*) echo "usage: $0 [--quick | --curves | --soak | --durability | --attacks | --crypto | --paper]" >&2; exit 2 ;;
esac

# What earlier modes measured does not make another program.
commit=$(git describe --always --abbrev=40 --exclude='*' 2>/dev/null || true)
if [ -n "$(git status --porcelain -- . ':!README.md' ':!RESULTS.md' ':!perf/results' 2>/dev/null)" ]; then commit=$commit-dirty; fi
go build -ldflags "-X fastpay/perf.commit=$commit" -o bin/fastpay ./cmd/fastpay
for name in server client bench; do ln -sf fastpay "bin/$name"; done

# Sizes: of a run, of a run within a curve, of one in an open loop, of a soak.
report=RESULTS.md
table='--table README.md'
kept=perf/results
results=results/latest
history=results/history.ndjson
paper='--scale quick -o results/paper'
size='--num-accounts 20000 --max-in-flight 1000'
point='--num-accounts 20000 --max-in-flight 1000 --seconds 3'
open='--num-accounts 20000 --seconds 3'
soak='--num-accounts 20000 --max-in-flight 1000 --payments 2000000'
many='--num-accounts 1000000 --max-in-flight 1000 --payments 200000'
transfers=2000
# A payment waits for the disk twice, and a loop shall not wait for payments: twice as many are under way.
turn='--num-accounts 20000 --max-in-flight 2000'
turns='1 2 3'
long='--num-accounts 20000 --max-in-flight 1000 --payments 6000000'
steady='--num-accounts 1000000 --rate 50000 --seconds 36'
restart=10000000
attacks='idle,slow,churn never-read,never-finish garbage,bad-signatures flood,forged overload'
attack=
bench='-benchtime 200ms -count 3'
if [ "$mode" = --quick ]; then
	results=results/quick
	kept=results/quick/kept
	history=results/quick/history.ndjson
	paper='--scale smoke -o results/quick/paper'
	report=$results/RESULTS.md
	table=
	size='--num-accounts 500 --max-in-flight 100 --payments 1000'
	point=$size
	open='--num-accounts 500 --seconds 0.3'
	soak=$size
	many='--num-accounts 5000 --max-in-flight 100 --payments 1000'
	transfers=100
	turn=$size
	turns=1
	long=$size
	steady='--num-accounts 2000 --rate 5000 --seconds 1'
	restart=10000
	attacks='slow,flood'
	attack='--num-accounts 500 --hostile 20 --pairs 1 --turn 100ms --rate 1000'
	bench='-benchtime 1x'
fi
status=0

# measure FOLDER NAME PROTOCOL COMMITTEE FLAG...
measure() {
	folder=$1 name=$2 protocol=$3 committee=$4
	shift 4
	echo >&2
	echo "== $name: committee of $committee over $protocol" >&2
	# shellcheck disable=SC2086 # size is several words
	bin/fastpay bench --protocol "$protocol" --committee-size "$committee" --num-shards 2 $size \
		--json "$kept/$folder/$name.json" --history "$history" "$@"
}

# curve NAME VALUES FLAG...: what goes wrong with one run is in the report, and the others go on.
curve() {
	name=$1 values=$2
	shift 2
	# shellcheck disable=SC2086 # point is several words
	bin/fastpay bench curve --vary "$name" --values "$values" -o "$kept/curves" --protocol tcp --committee-size 4 --num-shards 2 \
		--history "$history" $point "$@" || status=$?
}

# fresh PART FILE...: a part is measured anew, whatever it was made of before.
fresh() {
	rm -f "$kept/$1.md"
	shift
	for old in "$@"; do rm -rf "${kept:?}/$old"; done
}

# write_report FLAG...
write_report() {
	# shellcheck disable=SC2086 # table is two words, or none
	bin/fastpay bench results --from "$kept" --output "$report" $table "$@"
	bin/fastpay bench report "$kept" -o "$results/report.html"
}

main_job() {
	fresh bench throughput transfers.json
	measure throughput tcp-4 tcp 4 --profile cpu --profile-dir "$results/profile"
	measure throughput tcp-10 tcp 10
	measure throughput tcp-20 tcp 20
	measure throughput udp-4 udp 4
	measure throughput orders-4 tcp 4 --phase orders
	measure throughput confirmations-4 tcp 4 --phase confirmations
	measure throughput confirmations-20 tcp 20 --phase confirmations
	bin/fastpay bench transfers --transfers "$transfers" --json "$kept/transfers.json"
	write_report
}

all_curves() {
	fresh curves curves
	curve in-flight 100,200,500,1000,2000,4000
	curve accounts 10000,100000,1000000,10000000
	curve committee 4,10,20,40,70,100
	curve connections 1,10,100,1000 --max-in-flight 2000 # at least one for each connection of the two shards
	curve shards 1,2,4,8,16 --workers 1
	point=$open
	curve rate 50000,100000,150000,200000,250000,300000,350000,400000
	write_report
}

soak_job() {
	fresh endurance endurance
	size=$soak
	measure endurance soak-payments tcp 4
	size=$many
	measure endurance soak-accounts tcp 4
	write_report
}

# The ratio is that of sync and none, which follow each other; async is there once.
durability_job() {
	fresh durability durability
	size=$turn
	for committee in 4 20; do
		for number in $turns; do
			measure durability/turns "$committee-$number-none" tcp "$committee" --durability none
			if [ "$number" = 1 ]; then measure durability/turns "$committee-1-async" tcp "$committee" --durability async; fi
			measure durability/turns "$committee-$number-sync" tcp "$committee" --durability sync
		done
	done
	bin/fastpay bench transfers --committee-size 1 --durability sync --transfers "$transfers" --json "$kept/durability/transfers.json"
	size=$long
	measure durability soak tcp 4 --durability sync --retain none --watch memory
	size=$steady
	measure durability snapshots tcp 4 --durability sync --watch pauses --restart
	bin/fastpay bench restart --num-accounts "$restart" --json "$kept/durability/restart.json"
	write_report
}

# All have the same settings, so that they make one table. What goes wrong is in the report; of a moment alone, how many
# payments are left says nothing.
attacks_job() {
	fresh attacks attacks
	for kinds in $attacks; do
		# shellcheck disable=SC2086 # attack is several words, or none
		bin/fastpay bench attack $attack --attacks "$kinds" --json "$kept/attacks/$kinds.json" || {
			code=$?
			if [ "$mode $code" != '--quick 7' ]; then status=$code; fi
		}
	done
	write_report
}

# On one core, where the system lets it choose.
crypto_job() {
	one=
	if command -v taskset >/dev/null; then one='taskset -c 1'; fi
	if [ "$(nproc)" = 1 ]; then one=; fi
	which='^Benchmark(Vote|Order|Sign|Bad)$/^(keys=20|keys=known|keys=new|batch=.*|of=.*)$'
	go test -c -o "$results/crypto.test" ./crypto
	printf 'commit: %s\ncommand: %s\n' "$commit" "go test -run '^\$' -bench '$which' $bench ./crypto" >"$results/signatures.txt"
	# shellcheck disable=SC2086 # one and bench are several words
	(cd crypto && $one "../$results/crypto.test" -test.run '^$' -test.bench "$which" \
		$(printf ' %s' $bench | sed 's/ -/ -test./g')) >>"$results/signatures.txt"
	rm "$results/crypto.test"
	fresh crypto signatures.txt
	mv "$results/signatures.txt" "$kept/signatures.txt"
	write_report
}

# What goes wrong with a point is in the report.
paper_job() {
	rm -f "$kept/paper.md"
	# shellcheck disable=SC2086 # paper is several words
	bin/fastpay bench paper $paper || status=$?
	write_report --keep-paper "${paper##* }"
}

mkdir -p "$results" "$kept"
case "$mode" in
	default) main_job ;;
	--curves) all_curves ;;
	--soak) soak_job ;;
	--durability) durability_job ;;
	--attacks) attacks_job ;;
	--crypto) crypto_job ;;
	--paper) paper_job ;;
	--quick)
		rm -rf "$report" "${kept:?}"
		main_job
		curve in-flight 10,100
		curve shards 1,3 --workers 1
		point=$open
		curve rate 5000,10000
		soak_job
		durability_job
		attacks_job
		crypto_job
		paper_job
		;;
esac
exit "$status"
