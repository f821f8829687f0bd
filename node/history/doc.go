// Package history tells whether what clients have seen of payments can be: whether every account's history is
// linearizable. Simulated worlds (node/sim) and committees of real processes (cmd/fastpay) are held to the same model.
//
// The model knows nothing of committees, votes or certificates. An account is a number and a balance; a payment takes the
// next number and money that is there, and gives it to the payee; each happens at one moment between its beginning and its
// end. In the end every correct authority is asked, and must say what follows. Porcupine looks for such an order, account
// by account.
//
// It is for tests: no part of the program imports it. It is not a checker of the protocol's other properties, which
// node/sim has, and knows nothing of what was refused.
package history
