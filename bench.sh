#!/bin/sh
# Builds bin/ and measures; the figures go into RESULTS.md, each group into a part of its own.
#
#	./bench.sh           committees of 4, 10 and 20 over TCP and 4 over UDP, each phase alone, single transfers: under three minutes
#	./bench.sh --curves  the rate against in flight, accounts, committee, connections, shards on one core: under eight minutes
#	./bench.sh --soak    two million payments, and a start with a million accounts: a minute
#	./bench.sh --crypto  signatures alone, on one core: four minutes
#	./bench.sh --quick   tries that all of it works, in seconds, and writes no RESULTS.md
set -eu
cd "$(dirname "$0")"

mode=${1-default}
case "$mode" in
	default | --quick | --curves | --soak | --crypto) ;;
	*) echo "usage: $0 [--quick | --curves | --soak | --crypto]" >&2; exit 2 ;;
esac

commit=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || true)
go build -ldflags "-X fastpay/perf.commit=$commit" -o bin/fastpay ./cmd/fastpay
for name in server client bench; do ln -sf fastpay "bin/$name"; done

# Sizes: of a run, of a run within a curve, of a soak.
report=RESULTS.md
results=results/latest
history=results/history.ndjson
curves=results/curves
size='--num-accounts 20000 --max-in-flight 1000'
point='--num-accounts 20000 --max-in-flight 1000 --seconds 3'
soak='--num-accounts 20000 --max-in-flight 1000 --payments 2000000'
many='--num-accounts 1000000 --max-in-flight 1000 --payments 200000'
transfers=2000
bench='-benchtime 200ms -count 3'
if [ "$mode" = --quick ]; then
	results=results/quick
	history=results/quick/history.ndjson
	curves=results/quick/curves
	report=$results/RESULTS.md
	size='--num-accounts 500 --max-in-flight 100 --payments 1000'
	point=$size
	soak=$size
	many='--num-accounts 5000 --max-in-flight 100 --payments 1000'
	transfers=100
	bench='-benchtime 1x'
fi
status=0

# measure NAME PROTOCOL COMMITTEE FLAG...
measure() {
	name=$1 protocol=$2 committee=$3
	shift 3
	echo >&2
	echo "== $name: committee of $committee over $protocol" >&2
	# shellcheck disable=SC2086 # size is several words
	bin/fastpay bench --protocol "$protocol" --committee-size "$committee" --num-shards 2 $size --json "$results/$name.json" \
		--history "$history" "$@"
}

# curve NAME VALUES FLAG...: what goes wrong with one run is in the report, and the others go on.
curve() {
	name=$1 values=$2
	shift 2
	# shellcheck disable=SC2086 # point is several words
	bin/fastpay bench curve --vary "$name" --values "$values" -o "$curves" --protocol tcp --committee-size 4 --num-shards 2 \
		--history "$history" $point "$@" || status=$?
}

main_job() {
	rm -f "$results"/*.json
	measure tcp-4 tcp 4 --profile cpu --profile-dir "$results/profile"
	measure tcp-10 tcp 10
	measure tcp-20 tcp 20
	measure udp-4 udp 4
	measure orders-4 tcp 4 --phase orders
	measure confirmations-4 tcp 4 --phase confirmations
	bin/fastpay bench transfers --transfers "$transfers" --json "$results/transfers.json"
	bin/fastpay bench results "$results/tcp-4.json" "$results/tcp-10.json" "$results/tcp-20.json" "$results/udp-4.json" \
		"$results/orders-4.json" "$results/confirmations-4.json" --transfers "$results/transfers.json" --output "$report"
	bin/fastpay bench report "$results" -o "$results/report.html"
}

all_curves() {
	curve in-flight 100,200,500,1000,2000,4000
	curve accounts 10000,100000,1000000,10000000
	curve committee 4,10,20,40,70,100
	curve connections 1,10,100,1000 --max-in-flight 2000 # at least one for each connection of the two shards
	curve shards 1,2,4,8,16 --workers 1
	bin/fastpay bench results --curves "$curves" --output "$report"
}

soak_job() {
	size=$soak
	measure soak-payments tcp 4
	size=$many
	measure soak-accounts tcp 4
	bin/fastpay bench results --endurance "$results/soak-payments.json,$results/soak-accounts.json" --output "$report"
}

# On one core, where the system lets it choose.
crypto_job() {
	one=
	if command -v taskset >/dev/null; then one='taskset -c 1'; fi
	if [ "$(nproc)" = 1 ]; then one=; fi
	go test -c -o "$results/crypto.test" ./crypto
	# shellcheck disable=SC2086 # one and bench are several words
	(cd crypto && $one "../$results/crypto.test" -test.run '^$' \
		-test.bench '^Benchmark(Vote|Order|Sign|Bad)$/^(keys=20|keys=known|keys=new|batch=.*|of=.*)$' \
		$(printf ' %s' $bench | sed 's/ -/ -test./g')) >"$results/crypto.txt"
	rm "$results/crypto.test"
	bin/fastpay bench results --crypto "$results/crypto.txt" --output "$report"
}

mkdir -p "$results"
case "$mode" in
	default) main_job ;;
	--curves) all_curves ;;
	--soak) soak_job ;;
	--crypto) crypto_job ;;
	--quick)
		rm -f "$report"
		main_job
		curve in-flight 10,100
		curve shards 1,3 --workers 1
		bin/fastpay bench results --curves "$curves" --output "$report"
		soak_job
		crypto_job
		;;
esac
exit "$status"
