package lab

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"example.com/berth"
	"example.com/berth/internal/nat"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A NAT is a router that translates addresses and ports, like the one in a home.
// Its first link is the outside, all others are inside. It translates IPv4 (TCP,
// UDP, ICMP); hosts behind it have no way out with IPv6. It is a Host in all
// else: the NAT's own sockets work on either side.
type NAT struct {
	Host
	behavior NATBehavior

	mu    sync.Mutex // guards what follows
	table *nat.Table // nil until there is an outside
}

// NATBehavior says for which remotes a NAT keeps a mapping, and which it lets in
// (RFC 4787 sections 4.1 and 5).
type NATBehavior = nat.Behavior

// The behaviors that have a name (RFC 3489 section 5): anybody may send to a
// mapping (full cone), the addresses that it has sent to, or the endpoints that
// it has sent to; and a mapping of its own for each remote.
var (
	FullCone          = nat.FullCone
	AddressRestricted = nat.AddressRestricted
	PortRestricted    = nat.PortRestricted
	Symmetric         = nat.Symmetric
)

// NATMapping is a row of a NAT's table.
type NATMapping = nat.Mapping

// natPorts are those outside that mappings get; the NAT's own sockets use the
// others.
var natPorts = nat.PortRange{First: 10000, Last: 32767}

// NAT makes a NAT.
func (n *Network) NAT(name string, behavior NATBehavior, opts ...HostOption) *NAT {
	if n.tb != nil {
		n.tb.Helper()
	}
	v := &NAT{behavior: behavior}
	forwards := func(c *berth.Config) { c.Forwarding = true }
	n.addHost("nat", name, "nat", v, &v.Host, append([]HostOption{forwards}, opts...))
	return v
}

// Mappings returns the table of mappings, sorted by protocol, inside endpoint and
// remote. Times in it count from when the network was made.
func (v *NAT) Mappings() []NATMapping {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.table == nil {
		return nil
	}
	return v.table.Mappings()
}

// Forward has what comes to a port outside go to an endpoint inside, whoever
// sends it: a port that somebody opened by hand. Network is "tcp" or "udp"; port
// 0 stands for one that is free.
func (v *NAT) Forward(network string, port uint16, inside netip.AddrPort) (outside netip.AddrPort, err error) {
	protocol, ok := map[string]socket.Protocol{"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}[network]
	if !ok {
		return outside, fmt.Errorf("lab: forward on %s: network %q: want tcp or udp", v.name, network)
	}
	v.net.sched.do(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.table == nil {
			err = fmt.Errorf("it has no link outside yet")
			return
		}
		outside, err = v.table.Forward(uint8(protocol), port, inside)
	})
	if err != nil {
		err = fmt.Errorf("lab: forward %s port %d on %s to %v: %w", network, port, v.name, inside, err)
	}
	return outside, err
}

// open begins to translate, when the outside is linked.
func (v *NAT) open(outside *port) error {
	outside.outside = true
	cfg := nat.Recommended()
	cfg.Behavior = v.behavior
	for _, a := range outside.addrs {
		if a.Addr().Is4() {
			cfg.External = append(cfg.External, a.Addr())
		}
	}
	cfg.Ports, cfg.Exclusive = natPorts, true
	cfg.Random = rand.NewPCG(v.net.seed, uint64(v.index)).Uint64
	table, err := nat.New(cfg)
	if err != nil {
		return fmt.Errorf("the outside of a NAT needs an IPv4 address: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.table = table
	return nil
}

// outward translates frames that the NAT sends out of a port, and returns those
// that are to go.
func (v *NAT) outward(p *port, frames []link.Frame) []link.Frame {
	if !p.outside {
		return frames
	}
	var out []link.Frame
	for i := range frames {
		f, verdict := v.translate(p, &frames[i], (*nat.Table).Out)
		switch verdict.Action {
		case nat.Hairpin:
			v.inject(p, f)
		case nat.Pass, nat.Local:
			out = append(out, f)
		default:
			v.drop(p, verdict)
		}
	}
	return out
}

// inward is the same for frames that come in.
func (v *NAT) inward(p *port, frames []link.Frame) []link.Frame {
	var in []link.Frame
	for i := range frames {
		way := (*nat.Table).In
		if !p.outside {
			if !v.isOutside(p, &frames[i]) {
				in = append(in, frames[i])
				continue
			}
			way = (*nat.Table).Out // to another inside host, by its outside address
		}
		f, verdict := v.translate(p, &frames[i], way)
		if verdict.Action == nat.Drop {
			v.drop(p, verdict)
			continue
		}
		in = append(in, f)
	}
	return in
}

// translate has the table look at a copy of a frame's packet. What is no IPv4 is
// the router's own.
func (v *NAT) translate(p *port, f *link.Frame, way func(*nat.Table, time.Duration, []byte) nat.Verdict) (link.Frame, nat.Verdict) {
	local := nat.Verdict{Action: nat.Local}
	b := f.AppendTo(make([]byte, 0, f.Len()))
	hlen := p.link.medium.HeaderLen()
	if !isIPv4(b, hlen) {
		return *f, local
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.table == nil {
		return *f, local
	}
	verdict := way(v.table, v.net.sched.now()+1, b[hlen:])
	if verdict.Action != nat.Pass && verdict.Action != nat.Hairpin {
		return *f, verdict
	}
	return link.Frame{Payload: b, Serial: f.Serial}, verdict
}

// isOutside tells whether a packet is to one of the NAT's outside addresses.
func (v *NAT) isOutside(p *port, f *link.Frame) bool {
	var b [14 + 20]byte
	hlen := p.link.medium.HeaderLen()
	if n := f.Peek(b[:]); n < hlen+20 || !isIPv4(b[:], hlen) {
		return false
	}
	dst := netip.AddrFrom4([4]byte(b[hlen+16:]))
	for _, a := range v.ports[0].addrs {
		if a.Addr() == dst {
			return true
		}
	}
	return false
}

func isIPv4(b []byte, hlen int) bool {
	if hlen > 0 && (len(b) < hlen || binary.BigEndian.Uint16(b[12:]) != 0x0800) {
		return false
	}
	return len(b) > hlen && b[hlen]>>4 == 4
}

// inject brings a packet in as if it had come from outside.
func (v *NAT) inject(p *port, f link.Frame) {
	if h := p.handler(); h != nil {
		h.Input([]link.Frame{f})
	}
}

func (v *NAT) drop(p *port, verdict nat.Verdict) {
	v.net.trace.note(v.index, "nat", fmt.Sprintf("%v dropped a packet: %v", p, verdict.Reason))
}
