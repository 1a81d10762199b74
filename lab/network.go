package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/link"
)

// TB is the part of testing.TB that a Network needs.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	Cleanup(func())
}

// A Network is a lab: hosts, switches, routers and NATs, and the links between
// them. Its methods, and those of its parts, may be called from several
// goroutines at once, except that a topology is best built by one.
//
// A mistake in a call (a name that is not there or is there twice, an address
// that clashes, a probability above one, a network that is closed) ends the test
// with a message that says what to do. Without a test it panics with an [*Error].
type Network struct {
	tb    TB
	sched *scheduler
	seed  uint64
	trace *recorder
	opts  options

	dirty   atomic.Bool // routes are to be computed anew
	mu      sync.Mutex  // guards what follows
	nodes   []node
	names   map[string]node
	links   []*Link
	between map[[2]int]int // how many links two nodes have
	plan    addressPlan
	closed  bool
	streams uint64 // sources of random values that were handed out
}

// A node is what links lead to.
type node interface {
	Name() string
	base() *nodeBase
}

// A Node is a *Host, *Router, *NAT or *Switch.
type Node = node

// nodeBase is what all nodes have.
type nodeBase struct {
	net   *Network
	name  string
	kind  string
	index int
	ports []*port
}

// Name returns the node's name.
func (b *nodeBase) Name() string    { return b.name }
func (b *nodeBase) base() *nodeBase { return b }

// New makes an empty network. With a test, the network is closed when the test
// ends, and if it failed, leaves behind what happened: see the package comment.
// Tb may be nil.
func New(tb TB, opts ...Option) *Network {
	n := &Network{tb: tb, sched: newScheduler(), names: make(map[string]node), between: make(map[[2]int]int)}
	n.opts = defaultOptions()
	for _, o := range opts {
		o(&n.opts)
	}
	if n.seed = n.opts.seed; *flagSeed != 0 {
		n.seed = *flagSeed
	}
	n.plan.init()
	n.trace = newRecorder(n)
	n.sched.prepare = n.settle
	if tb != nil {
		tb.Cleanup(n.finish)
	}
	return n
}

// Seed returns the seed that the network's random values follow from.
func (n *Network) Seed() uint64 { return n.seed }

// Now returns the time since the network was made: under testing/synctest that
// of the bubble.
func (n *Network) Now() time.Duration { return n.sched.now() }

// An Error is a mistake in the use of a network.
type Error struct{ Op, Text string }

func (e *Error) Error() string { return "lab: " + e.Op + ": " + e.Text }

// ErrClosed is what calls on a closed network give. Calls on a host that is down
// give ENETDOWN.
var ErrClosed = errors.New("lab: network closed")

// misuse ends the test, or panics without one.
func (n *Network) misuse(op, format string, args ...any) {
	err := &Error{op, fmt.Sprintf(format, args...)}
	if n.tb == nil {
		panic(err)
	}
	n.tb.Helper()
	n.tb.Fatalf("%v", err)
}

// add enters a node.
func (n *Network) add(op, name, kind string, v node) {
	if n.tb != nil {
		n.tb.Helper()
	}
	n.mu.Lock()
	closed, twice, valid := n.closed, n.names[name] != nil, validName(name)
	if !closed && !twice && valid {
		b := v.base()
		b.net, b.name, b.kind, b.index = n, name, kind, len(n.nodes)
		n.nodes = append(n.nodes, v)
		n.names[name] = v
	}
	n.mu.Unlock()
	switch {
	case closed:
		n.misuse(op, "the network is closed")
	case !valid:
		n.misuse(op, "%q is no name: it takes letters, digits, hyphens and dots", name)
	case twice:
		n.misuse(op, "there is a %s called %q already", n.names[name].base().kind, name)
	}
	n.dirty.Store(true)
}

// source returns a source of random values of its own, the same in every run
// that builds the network in the same order.
func (n *Network) source() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.streams++
	return rand.NewPCG(n.seed, n.streams).Uint64()
}

// suggest names the node that is most like a name that there is not.
func (n *Network) suggest(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for k := range n.names {
		if strings.EqualFold(k, name) {
			return fmt.Sprintf("; did you mean %q?", k)
		}
		names = append(names, k)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return ": the network has no nodes yet"
	}
	if len(names) > 12 {
		return fmt.Sprintf("; there are %s and %d others", strings.Join(names[:12], ", "), len(names)-12)
	}
	return "; there are " + strings.Join(names, ", ")
}

// validName tells whether a name can be that of a host: as in DNS.
func validName(s string) bool {
	if s == "" || len(s) > 253 || s[0] == '-' || s[0] == '.' {
		return false
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return true
}

// Close ends the network: all hosts are closed, calls that wait on them end, and
// no goroutine or timer is left. It is called at the end of the test.
func (n *Network) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	nodes := n.nodes
	n.mu.Unlock()
	var errs []error
	n.sched.do(n.trace.end)
	for _, v := range nodes {
		if h := hostOf(v); h != nil {
			errs = append(errs, h.shut())
		}
	}
	n.sched.close()
	for _, l := range n.Links() {
		l.clear()
	}
	return errors.Join(errs...)
}

// finish is what happens when the test ends.
func (n *Network) finish() {
	if n.tb.Failed() {
		n.leaveBehind()
	}
	if err := n.Close(); err != nil {
		n.tb.Errorf("lab: close: %v", err)
	}
}

// settle is the first thing in every turn: it brings the routes up to date.
func (n *Network) settle() {
	if n.dirty.CompareAndSwap(true, false) {
		n.computeRoutes()
	}
}

// medium is what frames on a link look like: Ethernet where a switch is, else
// bare IP.
func medium(a, b node) link.Medium {
	_, sa := a.(*Switch)
	_, sb := b.(*Switch)
	if sa || sb {
		return link.Ethernet
	}
	return link.IP
}
