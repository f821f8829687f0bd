package bench

import "fmt"

// Phase is what a run measures: whole payments, or one of their two phases alone, as the paper did.
type Phase uint8

const (
	// Payments has order and certificate of each payment in the window.
	Payments Phase = iota
	// Orders has transfer orders alone in the window. An account can have one order pending, so between windows, outside
	// of the measurement, the certificates of all are sent: the window is the sum of many short ones, each of one order an
	// account.
	Orders
	// Confirmations has certificates alone; the orders in them are never sent by themselves.
	Confirmations

	numPhases
)

// phaseNames is what phases are called on the command line and in results.
var phaseNames = [numPhases]string{"payments", "orders", "confirmations"}

// PhaseNames lists the names that ParsePhase takes.
func PhaseNames() []string { return phaseNames[:] }

// ParsePhase finds a phase by its name.
func ParsePhase(name string) (Phase, error) {
	for p, n := range phaseNames {
		if n == name {
			return Phase(p), nil
		}
	}
	return 0, fmt.Errorf("bench: no phase is called %q, there are payments, orders, confirmations", name)
}

func (p Phase) String() string {
	if p < numPhases {
		return phaseNames[p]
	}
	return fmt.Sprintf("Phase(%d)", uint8(p))
}

// requests is what the lanes hold.
func (p Phase) requests() requests { return [numPhases]requests{both, ordersOnly, certificatesOnly}[p] }

// unit names what a phase counts.
type unit struct {
	one, many string // in sentences
	perSecond string // of a rate
	benchmark string // in Go's benchmark format
	cost      string // of one, as a heading
	what      string // what the unit consists of
}

var units = [numPhases]unit{
	{"payment", "payments", "tx/sec", "Payments", "CPU a payment", "order, vote, certificate, debit, credit"},
	{"transfer order", "transfer orders", "transfer orders/sec", "Orders", "CPU an order", "order and vote: no payments"},
	{"confirmation order", "confirmation orders", "confirmation orders/sec", "Confirmations", "CPU a confirmation",
		"certificate, debit, credit, of orders that were never sent: no payments"},
}
