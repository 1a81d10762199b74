package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth"
	"example.com/berth/internal/eventloop"
	"example.com/berth/internal/policy"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// Config is how a gateway is made. Device and Addrs are needed, the rest may be
// zero.
type Config struct {
	// Device is the gateway's end of the program's wire. New takes it over, unless
	// it fails.
	Device link.Device
	// Addrs are the gateway's own addresses on it, with the prefixes that the
	// program's are from.
	Addrs []netip.Prefix

	// Loop carries flows, if not nil: flows of TCP and UDP that the program begins, and
	// whose outside the operating system is, need no goroutine then. Where the system
	// has loops, the gateway makes one of its own without it. The owner closes it after
	// the gateway.
	Loop *eventloop.Loop

	// Judge says which flows may be; nil allows all.
	Judge Judge
	// Prompt says that the Judge and his Hellos never block, so that flows need not
	// take turns elsewhere to ask them.
	Prompt bool
	// Observe, if not nil, is told what happens to flows. It is called from many
	// goroutines, and must not block.
	Observe func(Event)

	// NextID numbers flows, from 1 on; nil counts them. Whoever numbers other things,
	// too, gives both numbers of one sequence. It must not block.
	NextID func() uint64

	// Alias has addresses that stand for others outside, such as one for the
	// outside's loopback. The Judge sees the program's address.
	Alias map[netip.Addr]netip.Addr

	// DNS, if not nil, answers the questions that come to port 53 of Addrs, over UDP,
	// or over TCP (stream). It may block; nil is no answer. The question must not be
	// kept.
	DNS func(ctx context.Context, from netip.AddrPort, question []byte, stream bool) []byte

	// Dial opens a flow outside, by the network "tcp" or "udp"; nil asks the
	// operating system. The errors that count are ECONNREFUSED, those of ICMP and
	// time-outs.
	Dial func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	// Ping sends an echo request and waits for the reply; nil asks the operating
	// system.
	Ping func(ctx context.Context, to netip.Addr, data []byte) error

	// Host is the configuration of the gateway's own host, which the gateway
	// completes.
	Host berth.Config
	// MaxFlows is the most flows at a time; 0 means 16384.
	MaxFlows int
	// UDPIdle is how long a flow of UDP lasts without a datagram once it was
	// answered; 0 means three minutes (RFC 4787, REQ-5: more than two). One that was
	// not lasts a third of that.
	UDPIdle time.Duration
}

// A Gateway routes between a device and the world.
type Gateway struct {
	cfg    Config
	host   *berth.Host
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	pings  pings
	pinger pinger
	loop   carrier

	flows   atomic.Int64  // that there are
	begun   atomic.Uint64 // that there was room for
	dropped struct{ flows, questions atomic.Uint64 }

	mu      sync.Mutex // guards what follows
	closed  bool
	running sync.WaitGroup // what runs; added to under mu
}

// windowBegin is the window that connections of the program's begin with: the wire
// has no delay that would let it grow, and room for many large frames lets them come
// in one batch. It is memory only where the world is slower than the program.
const windowBegin = 1 << 20

// New makes a gateway, which is at work when New returns.
func New(cfg Config) (*Gateway, error) {
	if cfg.MaxFlows == 0 {
		cfg.MaxFlows = 16384
	}
	if cfg.UDPIdle == 0 {
		cfg.UDPIdle = 3 * time.Minute
	}
	g := &Gateway{cfg: cfg}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.loop.init(g)
	if g.cfg.Dial == nil {
		g.cfg.Dial = dial
	}
	if g.cfg.Ping == nil {
		g.cfg.Ping = g.pinger.ping
	}
	g.pings.init()
	hc := cfg.Host
	hc.Forwarder = g.forward
	if r := &hc.TCP.ReceiveBuffer; r.Default == 0 {
		r.Default = windowBegin
	}
	hc.ICMPErrors = -1 // nobody but the program hears them, and each says why something failed
	g.host = berth.NewHost(hc)
	var addrs []string
	for _, p := range cfg.Addrs {
		addrs = append(addrs, p.String())
	}
	if _, err := g.host.Attach(cfg.Device, addrs...); err != nil {
		g.cancel()
		return nil, errors.Join(err, g.host.Close())
	}
	if cfg.DNS != nil {
		for _, p := range cfg.Addrs {
			if err := g.serveDNS(netip.AddrPortFrom(p.Addr(), 53)); err != nil {
				return nil, errors.Join(err, g.Close())
			}
		}
	}
	return g, nil
}

// Host is the host that the gateway is on the program's network.
func (g *Gateway) Host() *berth.Host { return g.host }

// Close ends all flows by force, and the device, and returns when nothing runs any
// more.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	g.loop.close()
	err := g.host.Close()
	g.pinger.close()
	g.running.Wait()
	g.pings.close()
	return errors.Join(err, g.loop.finish())
}

// run calls f on a goroutine of its own, unless the gateway is closed.
func (g *Gateway) run(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Go(f)
	return true
}

// forward is the host's Forwarder.
func (g *Gateway) forward(bf *berth.Flow) {
	what := policy.Flow{Src: bf.Src, Dst: bf.Dst}
	serve := g.other
	switch bf.Protocol {
	case socket.IPPROTO_TCP:
		what.Proto, serve = policy.TCP, g.tcp
	case socket.IPPROTO_UDP:
		what.Proto, serve = policy.UDP, g.udp
	case socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6:
		what.Proto, serve = policy.ICMP, g.echo
	default:
		what.Proto, what.Number = policy.Other, uint8(bf.Protocol)
	}
	if g.loop.carry(what, bf) {
		return
	}
	f := &flow{g: g, what: what}
	if !g.begin(f, func() { serve(f, bf) }) {
		bf.Drop()
	}
}

// admit makes a flow one of those that there are, if there is room for it.
func (g *Gateway) admit(f *flow) bool {
	if g.flows.Add(1) > int64(g.cfg.MaxFlows) {
		g.flows.Add(-1)
		g.dropped.flows.Add(1)
		return false
	}
	f.id, f.begun = g.begun.Add(1), time.Now()
	if g.cfg.NextID != nil {
		f.id = g.cfg.NextID()
	}
	return true
}

// begin runs a flow on a goroutine of its own, if there is room for it.
func (g *Gateway) begin(f *flow, serve func()) bool {
	if !g.admit(f) {
		return false
	}
	if g.run(func() {
		defer g.flows.Add(-1)
		serve()
	}) {
		return true
	}
	g.flows.Add(-1)
	return false
}

// Stats are counters of a gateway.
type Stats struct {
	Flows            int    // that there are now
	Begun            uint64 // flows that there was room for, also those that were refused
	DroppedFlows     uint64 // those that there was no room for
	DroppedQuestions uint64 // of DNS, the same
}

// Stats returns the counters.
func (g *Gateway) Stats() Stats {
	return Stats{
		Flows: int(g.flows.Load()), Begun: g.begun.Load(),
		DroppedFlows: g.dropped.flows.Load(), DroppedQuestions: g.dropped.questions.Load(),
	}
}

var errProtocol = errors.New("only TCP, UDP and ping are carried")

// other refuses what no socket of an ordinary user carries.
func (g *Gateway) other(f *flow, bf *berth.Flow) {
	if f.allowed() {
		f.tell(Failed, errProtocol)
	}
	bf.Prohibit()
}

// outside is what stands outside for an address of the program's network.
func (g *Gateway) outside(a netip.AddrPort) netip.AddrPort {
	if to, ok := g.cfg.Alias[a.Addr()]; ok {
		return netip.AddrPortFrom(to, a.Port())
	}
	return a
}
