package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"fastpay/codec"
	"fastpay/crypto"
	"fastpay/node"
	"fastpay/perf"
)

// The measured authority in a process of its own. The parent writes to its standard input: the specification as a line
// of JSON, the accounts' addresses (32 bytes each), and then commands, one a line. The child answers each, and its start,
// with a line of JSON on its standard output. When the input ends it stops, however the parent ended.
const (
	commandBegin = "begin"
	commandEnd   = "end"
	commandMark  = "mark"
)

// childReply is one answer of the child.
type childReply struct {
	Port     int           `json:"port,omitempty"` // to the start
	StartNs  int64         `json:"start_ns,omitempty"`
	Found    node.Recovery `json:"found"`    // the same
	Snapshot snapshot      `json:"snapshot"` // to begin, mark and end
	Error    string        `json:"error,omitempty"`
}

// AuthorityCommand is how the binary starts itself as the measured authority: its arguments after the program's name.
var AuthorityCommand = []string{"bench", "authority"}

// childAuthority is the parent's end.
type childAuthority struct {
	*self
	port    int
	took    time.Duration
	found   node.Recovery // on the disk, by its start
	stopped bool
}

// startChild runs the authority of spec in a new process, and returns once it accepts.
func startChild(spec authoritySpec, addresses []codec.Address, stderr io.Writer) (*childAuthority, error) {
	self, err := startSelf("the authority's process", AuthorityCommand, stderr)
	if err != nil {
		return nil, err
	}
	c := &childAuthority{self: self}
	if err = c.tell(spec); err == nil {
		err = c.write(addressBytes(addresses))
	}
	var reply childReply
	if err = errors.Join(c.answer(&reply, &reply.Error), err); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.port, c.took, c.found = reply.Port, time.Duration(reply.StartNs), reply.Found
	return c, nil
}

func addressBytes(a []codec.Address) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(a))), len(a)*crypto.PublicKeySize)
}

func (c *childAuthority) do(command string) (snapshot, error) {
	var r childReply
	err := c.ask(command, &r, &r.Error)
	return r.Snapshot, err
}

func (c *childAuthority) basePort() int { return c.port }

func (c *childAuthority) startedIn() time.Duration { return c.took }

func (c *childAuthority) begin() (snapshot, error) { return c.do(commandBegin) }

func (c *childAuthority) end() (snapshot, error) { return c.do(commandEnd) }

func (c *childAuthority) mark() (snapshot, error) { return c.do(commandMark) }

// stop closes the child's input and waits for its end; a child that does not end is killed.
func (c *childAuthority) stop() error {
	if c.stopped {
		return nil
	}
	c.stopped = true
	return c.self.end(stopTimeout + orphanGrace)
}

// kill ends the child at once, as a crash does.
func (c *childAuthority) kill() {
	if c.stopped {
		return
	}
	c.stopped = true
	_ = c.cmd.Process.Kill()
	_ = c.in.Close()
	_ = c.cmd.Wait() // killed
}

// orphanGrace is how long a child whose parent has gone may take over its stop before it ends itself.
const orphanGrace = 2 * time.Second

// MetricsServer serves the metrics of a node at an address, until it is stopped.
type MetricsServer func(address string, n *node.Node) (stop func(), err error)

// ServeAuthority is the child: it runs the authority that in describes, answers on out, and returns when in ends. Metrics are
// served by serve, when they are asked for. Why an authority did not start is answered on out for the parent to tell, and is not
// an error here as well.
func ServeAuthority(in io.Reader, out io.Writer, serve MetricsServer) error {
	signal.Ignore(os.Interrupt) // a terminal's Ctrl-C reaches the parent, and it decides
	began := time.Now()
	replies := json.NewEncoder(out)
	r := bufio.NewReader(in)
	a, err := startFrom(r, began)
	if err != nil { // the parent tells it
		return replies.Encode(childReply{Error: err.Error()})
	}
	if a.spec.Metrics != "" {
		stop, err := serve(a.spec.Metrics, a.node)
		if err != nil {
			return errors.Join(a.stop(), replies.Encode(childReply{Error: err.Error()}))
		}
		defer stop()
	}
	if err := replies.Encode(childReply{Port: a.port, StartNs: int64(a.took), Found: a.node.Recovery()}); err != nil {
		return errors.Join(err, a.stop())
	}
	err = serveCommands(a, r, replies)
	// If stopping hangs nobody is left to end this process.
	defer time.AfterFunc(stopTimeout+orphanGrace/2, func() { os.Exit(1) }).Stop()
	return errors.Join(err, a.stop())
}

// startFrom reads what to start, and starts it; began is when this process did.
func startFrom(r *bufio.Reader, began time.Time) (*localAuthority, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("bench: read the authority's specification: %w", err)
	}
	var spec authoritySpec
	if err := json.Unmarshal(line, &spec); err != nil {
		return nil, fmt.Errorf("bench: the authority's specification: %w", err)
	}
	perf.Prepare(spec.Profiles)
	if spec.Accounts < 0 || spec.Accounts > maxAccounts {
		return nil, fmt.Errorf("bench: the authority's specification: %d accounts", spec.Accounts)
	}
	addresses := make([]codec.Address, spec.Accounts)
	if _, err := io.ReadFull(r, addressBytes(addresses)); err != nil {
		return nil, fmt.Errorf("bench: read the accounts: %w", err)
	}
	a, err := startLocal(spec, addresses)
	if a != nil {
		a.took = time.Since(began)
	}
	settle()
	return a, err
}

func serveCommands(a *localAuthority, r *bufio.Reader, replies *json.Encoder) error {
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("bench: read a command: %w", err)
		}
		var reply childReply
		switch name := strings.TrimSuffix(line, "\n"); name {
		case commandBegin:
			reply.Snapshot, err = a.begin()
		case commandEnd:
			reply.Snapshot, err = a.end()
		case commandMark:
			reply.Snapshot, err = a.mark()
		default:
			err = errors.New("bench: unknown command " + strconv.Quote(name))
		}
		if err != nil {
			reply.Error = err.Error()
		}
		if err := replies.Encode(reply); err != nil {
			return fmt.Errorf("bench: answer a command: %w", err)
		}
	}
}
