// Fastpay is the command of this module: one binary that runs an authority (server), pays (client) and measures (bench).
//
//	fastpay server --server server1.json generate --host 127.0.0.1 --port 9100 --shards 4 >> committee.json
//	fastpay server --server server1.json run --initial-accounts initial_accounts.txt --committee committee.json
//	fastpay client --committee committee.json --accounts accounts.json transfer 10 --from ADDRESS --to ADDRESS
//
// Called through a link named server, client or bench it is that command, so that the commands, flags and result lines
// of the FastPay prototype work unchanged.
//
// Each command has a file of its own. They parse flags and files, call the packages, and print: results on stdout, the
// log on stderr. What a command does is found in the package it calls: node for server run, node/client for client,
// bench for bench. No rule of the protocol lives here.
//
// Invariants: stdout holds nothing but results that scripts may parse; a failure is one message on stderr, with a hint
// where the mistake is a known one; the exit code is 0 for success, 1 for a failure, 2 for a mistake on the command
// line, 130 after an interrupt.
package main
