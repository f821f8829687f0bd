#!/bin/sh
# Builds bin/, measures committees of 4, 10 and 20 over TCP and 4 over UDP, and writes RESULTS.md. --quick only tries that all
# of it works, in seconds, and writes no RESULTS.md.
set -eu
cd "$(dirname "$0")"

quick=
case "${1-}" in
	'') ;;
	--quick) quick=yes ;;
	*) echo "usage: $0 [--quick]" >&2; exit 2 ;;
esac

commit=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || true)
go build -ldflags "-X fastpay/perf.commit=$commit" -o bin/fastpay ./cmd/fastpay
for name in server client bench; do ln -sf fastpay "bin/$name"; done

results=results/latest
[ -n "$quick" ] && results=results/quick
mkdir -p "$results"
rm -f "$results"/*.json

# measure NAME PROTOCOL COMMITTEE
measure() {
	echo >&2
	echo "== committee of $3 over $2" >&2
	if [ -n "$quick" ]; then
		size='--num-accounts 500 --max-in-flight 100 --payments 1000'
	else
		size='--num-accounts 20000 --max-in-flight 1000'
	fi
	# shellcheck disable=SC2086 # two words for each flag
	bin/fastpay bench --protocol "$2" --committee-size "$3" --num-shards 2 $size --json "$results/$1.json"
}

measure tcp-4 tcp 4
measure tcp-10 tcp 10
measure tcp-20 tcp 20
measure udp-4 udp 4

transfers=2000
[ -n "$quick" ] && transfers=100
bin/fastpay bench transfers --transfers "$transfers" --json "$results/transfers.json"

report=RESULTS.md
[ -n "$quick" ] && report=$results/RESULTS.md
bin/fastpay bench results "$results/tcp-4.json" "$results/tcp-10.json" "$results/tcp-20.json" "$results/udp-4.json" --transfers "$results/transfers.json" --output "$report"
