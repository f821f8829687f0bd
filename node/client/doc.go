// Package client is the payer's and the payee's side of FastPay: the wallet file, the quorum driver and the calls that
// commands are made of.
//
// A Client works for the accounts of one Wallet against one committee. Authorities never talk to each other, so it is the
// client who brings votes together into certificates, and certificates to the authorities that lack them. It trusts none
// of them: what an authority says counts only when it is signed, or when enough weight says the same.
//
// The parts, from the inside out:
//
//   - Driver (driver.go, seat.go, fetch.go) is one task at all authorities at once, as a state machine: answers in,
//     requests out. It knows no socket, clock, goroutine or randomness; the same inputs give the same outputs.
//   - Network (net.go, tcp.go, udp.go) exchanges one request for one answer with one authority.
//   - Wallet (wallet.go, wallet_json.go, wallet_file.go) is the accounts file.
//   - Client (client.go, transfer.go, receive.go) runs drivers over the network and keeps the wallet.
//   - Benchmark (bulk.go, bulk_result.go, flow.go) pays from every account of the wallet at once, with windows of requests
//     in flight.
//
// The invariant: a key of the wallet never signs two different orders with one sequence number, wherever the process
// stops. The order is in the wallet file, synced, before the first byte of it leaves; it stays there until the payment is
// settled at a quorum; and while it is there nothing else is signed for that account. The certificate is in the file, synced,
// before it is sent, so that what settles the payment is never with authorities alone.
//
// What it is not: a Client does one thing at a time, and its calls may not be made concurrently.
package client
