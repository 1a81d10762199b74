package berth_test

import (
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/link"
	"example.com/berth/link/wire"
)

// A station is a machine that the test plays itself, at the other end of a
// host's wire: it sees every packet that the host sends, and sends what the
// test makes up. The wire has no offloads, so packets are as on a cable.
//
// It has 10.0.0.2 and fd00::2, and on Ethernet answers ARP requests and neighbor
// solicitations for its addresses, unless it is mute.
type station struct {
	t     testing.TB
	dev   *wire.Device
	mac   header.MAC
	addrs []netip.Addr

	host     *wire.Device  // nil: not known
	answered atomic.Uint64 // frames that the host is done with
	marks    atomic.Uint64 // that came: see settle

	gathering bool // see together
	gathered  []link.Frame

	mu      sync.Mutex // guards all below
	mute    bool
	packets []*packet
	blind   bool          // packets are not kept
	reply   func(*packet) // called with each packet, without the lock
}

// stationMAC is the Ethernet address of a station, hostMAC that of its host.
var (
	stationMAC = header.MAC{2, 0, 0, 0, 0, 2}
	hostMAC    = header.MAC{2, 0, 0, 0, 0, 1}
)

// stationed returns a host, alice, whose wire ends at a station.
func stationed(t testing.TB, cfg berth.Config, opts ...wire.Option) (*berth.Host, *station) {
	t.Helper()
	return stationedOn(t, cfg, func(d link.Device) link.Device { return d }, opts...)
}

// stationedOn is stationed with something around the host's device.
func stationedOn(t testing.TB, cfg berth.Config, wrap func(link.Device) link.Device, opts ...wire.Option) (*berth.Host, *station) {
	t.Helper()
	opts = append([]wire.Option{wire.Offload(0), wire.Addrs(hostMAC, stationMAC)}, opts...)
	a, b := wire.Pair(opts...)
	s := &station{t: t, dev: b, mac: stationMAC, addrs: []netip.Addr{bob4, bob6}}
	if err := b.Attach(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	cfg.Name = "alice"
	s.host = a
	return hostOn(t, cfg, wrap(oneLane{a, &s.answered}), "10.0.0.1/24", "fd00::1/64"), s
}

// A oneLane is a device that brings all frames from one goroutine at a time, so that
// a station can have those of several flows come in at once. It counts them when they
// are dealt with.
type oneLane struct {
	link.Device
	done *atomic.Uint64
}

func (d oneLane) Attach(h link.Handler) error {
	return d.Device.Attach(counting{h, d.done})
}

type counting struct {
	link.Handler
	done *atomic.Uint64
}

func (c counting) Input(frames []link.Frame) {
	c.Handler.Input(frames)
	c.done.Add(uint64(len(frames)))
}

// settle waits until the frames have arrived that were sent. They have when the
// sender returns, unless another goroutine is just carrying something over the wire,
// as a solicitation of the host's own: then that one carries them, too, a moment
// later. It gives up in the end: who is called from within a delivery waits for
// himself.
func (s *station) settle() {
	if s.host == nil {
		return
	}
	until(func() bool {
		host, station := s.host.Stats(), s.dev.Stats()
		return s.answered.Load()+host.QueueFull+host.Unheard+station.LinkDown >= station.OutFrames
	})
	// What is sent now comes behind all that was sent before.
	before := s.marks.Load()
	mark := link.Frame{Payload: append(append([]byte{}, s.mac[:]...), make([]byte, 54)...), Serial: markSerial}
	if n, _ := s.host.Output([]link.Frame{mark}); n == 1 {
		until(func() bool { return s.marks.Load() > before })
	}
}

// until lets others run until something is so, or does not become so.
func until(so func() bool) {
	for range 100_000 {
		if so() {
			return
		}
		runtime.Gosched()
	}
}

// markSerial is that of frames by which settle knows how far the wire is.
const markSerial = math.MaxUint64

// A packet is one that a station saw, taken apart as far as it is IP or ARP.
type packet struct {
	at       time.Time
	eth      header.Ethernet
	arp      *header.ARP
	src, dst netip.Addr
	ttl, tos uint8
	protocol uint8 // of the upper layer
	payload  []byte
	df, mf   bool
	offset   int
	id       uint32
	alert    bool   // router alert
	options  string // of IPv4
	frame    []byte
}

// Input implements link.Handler.
func (s *station) Input(frames []link.Frame) {
	for i := range frames {
		if frames[i].Serial == markSerial {
			s.marks.Add(1)
			continue
		}
		p := s.parse(frames[i].AppendTo(nil))
		s.mu.Lock()
		if !s.blind {
			s.packets = append(s.packets, p)
		}
		reply, mute := s.reply, s.mute
		s.mu.Unlock()
		if !mute {
			s.resolve(p)
		}
		if reply != nil {
			reply(p)
		}
	}
}

// Changed implements link.Handler.
func (s *station) Changed() {}

func (s *station) parse(b []byte) *packet {
	s.t.Helper()
	p := &packet{at: time.Now(), frame: b}
	fatal := func(err error) {
		if err != nil {
			s.t.Errorf("the host sent a malformed packet: %v: %x", err, p.frame)
		}
	}
	if s.dev.Info().Medium == link.Ethernet {
		rest, err := p.eth.Parse(b)
		fatal(err)
		if b = rest; p.eth.Type == header.EtherTypeARP {
			p.arp = new(header.ARP)
			_, err := p.arp.Parse(b)
			fatal(err)
			return p
		}
	}
	if b[0]>>4 == 4 {
		var ip header.IPv4
		rest, err := ip.Parse(b)
		fatal(err)
		p.src, p.dst, p.ttl, p.tos, p.protocol, p.payload = ip.Src, ip.Dst, ip.TTL, ip.TOS, ip.Protocol, rest
		p.df, p.mf, p.offset, p.id = ip.DF, ip.MF, ip.Offset, uint32(ip.ID)
		p.options = string(ip.Options)
		p.alert = p.options == header.IPv4RouterAlert
	} else {
		var ip header.IPv6
		rest, err := ip.Parse(b)
		fatal(err)
		var e header.Extensions
		rest, err = e.Parse(ip.NextHeader, rest)
		fatal(err)
		p.src, p.dst, p.ttl, p.tos, p.protocol, p.payload = ip.Src, ip.Dst, ip.HopLimit, ip.TrafficClass, e.Protocol, rest
		p.mf, p.offset, p.id, p.alert = e.Fragment.More, e.Fragment.Offset, e.Fragment.ID, e.RouterAlert
		if e.HasFragment {
			p.protocol = e.Fragment.NextHeader
		}
	}
	if !p.mf && p.offset == 0 && !p.checksumGood() {
		s.t.Errorf("the host sent a bad checksum: %x", p.frame)
	}
	return p
}

// checksumGood verifies the checksum of the upper layer.
func (p *packet) checksumGood() bool {
	acc := uint32(0)
	switch p.protocol {
	case header.ProtocolTCP, header.ProtocolUDP, header.ProtocolICMPv6:
		acc = header.PseudoSum(p.src, p.arrivesAt(), p.protocol, len(p.payload))
	case header.ProtocolICMP, header.ProtocolIGMP:
	default:
		return true
	}
	return header.Fold(header.Sum(p.payload, acc)) == 0
}

// arrivesAt is where a packet ends up: at the end of its source route, if it has
// one that leads on.
func (p *packet) arrivesAt() netip.Addr {
	var r ipoptions.Received
	if _, ok := r.Parse([]byte(p.options), p.src); ok {
		if last, ok := r.Final(); ok {
			return last
		}
	}
	return p.dst
}

// icmp is the header of an ICMP message, and what follows it.
func (p *packet) icmp() (h header.ICMP, rest []byte) {
	rest, _ = h.Parse(p.payload)
	return h, rest
}

func (p *packet) isICMP(typ, code uint8) bool {
	return (p.protocol == header.ProtocolICMP || p.protocol == header.ProtocolICMPv6) &&
		len(p.payload) >= header.ICMPLen && p.payload[0] == typ && p.payload[1] == code
}

// tcp is the header of a segment, and its payload.
func (p *packet) tcp() (h header.TCP, rest []byte) {
	rest, _ = h.Parse(p.payload)
	return h, rest
}

func (p *packet) isTCP(flags header.TCPFlags) bool {
	h, _ := p.tcp()
	return p.protocol == header.ProtocolTCP && h.Flags&^header.PSH == flags
}

// solicit is the neighbor solicitation in a packet, if it is one.
func (p *packet) solicit() (ns header.NeighborSolicit, ok bool) {
	if !p.isICMP(header.ICMPv6NeighborSolicit, 0) {
		return ns, false
	}
	_, err := ns.Parse(p.payload)
	return ns, err == nil
}

// resolve answers who asks for the station's Ethernet address.
func (s *station) resolve(p *packet) {
	if p.arp != nil && p.arp.Op == header.ARPRequest && slices.Contains(s.addrs, p.arp.Target) {
		s.arp(header.ARP{
			Op: header.ARPReply, SenderHW: s.mac, Sender: p.arp.Target,
			TargetHW: p.arp.SenderHW, Target: p.arp.Sender,
		}, p.arp.SenderHW)
	}
	if ns, ok := p.solicit(); ok && slices.Contains(s.addrs, ns.Target) {
		na := header.NeighborAdvert{Target: ns.Target, Solicited: true, Override: true, HasTargetHW: true, TargetHW: s.mac}
		s.nd(ns.Target, p.src, na.Append(nil))
	}
}

// arp sends an ARP packet to an Ethernet address.
func (s *station) arp(a header.ARP, dst header.MAC) {
	eth := header.Ethernet{Dst: dst, Src: a.SenderHW, Type: header.EtherTypeARP}
	s.frame(a.Append(eth.Append(nil)))
}

// nd sends a message of neighbor discovery.
func (s *station) nd(src, dst netip.Addr, message []byte) {
	header.PutICMPv6Checksum(message, src, dst)
	s.ip(packet{src: src, dst: dst, protocol: header.ProtocolICMPv6, ttl: 255, payload: message})
}

// icmpMessage sends an ICMP message with its checksum.
func (s *station) icmpMessage(src, dst netip.Addr, h header.ICMP, rest []byte) {
	b := append(h.Append(nil), rest...)
	p := packet{src: src, dst: dst, protocol: header.ProtocolICMP, payload: b}
	if dst.Is6() {
		header.PutICMPv6Checksum(b, src, dst)
		p.protocol = header.ProtocolICMPv6
	} else {
		header.PutICMPv4Checksum(b)
	}
	s.ip(p)
}

// udp sends a datagram.
func (s *station) udp(src, dst netip.AddrPort, data []byte) {
	s.ip(packet{
		src: src.Addr(), dst: dst.Addr(), protocol: header.ProtocolUDP,
		payload: udpDatagram(src, dst, data),
	})
}

// udpDatagram is a datagram with its header and checksum.
func udpDatagram(src, dst netip.AddrPort, data []byte) []byte {
	u := header.UDP{SrcPort: src.Port(), DstPort: dst.Port(), PayloadLen: len(data)}
	b := append(u.Append(nil), data...)
	putChecksum(b, 6, src.Addr(), dst.Addr(), header.ProtocolUDP)
	return b
}

// segment sends a segment.
func (s *station) segment(src, dst netip.AddrPort, h header.TCP, data []byte) {
	s.ip(packet{
		src: src.Addr(), dst: dst.Addr(), protocol: header.ProtocolTCP,
		payload: tcpSegment(src, dst, h, data),
	})
}

func tcpSegment(src, dst netip.AddrPort, h header.TCP, data []byte) []byte {
	h.SrcPort, h.DstPort, h.Checksum = src.Port(), dst.Port(), 0
	b := append(h.Append(nil), data...)
	putChecksum(b, 16, src.Addr(), dst.Addr(), header.ProtocolTCP)
	return b
}

func putChecksum(b []byte, at int, src, dst netip.Addr, protocol uint8) {
	sum := header.Fold(header.Sum(b, header.PseudoSum(src, dst, protocol, len(b))))
	b[at], b[at+1] = byte(sum>>8), byte(sum)
}

// ip sends a packet: a TTL of 0 means 64, and the destination's group or the
// host is the Ethernet destination.
func (s *station) ip(p packet) {
	b := encode(p)
	if s.dev.Info().Medium == link.Ethernet {
		eth := header.Ethernet{Dst: hostMAC, Src: s.mac, Type: header.EtherTypeIPv4}
		if p.dst.Is6() {
			eth.Type = header.EtherTypeIPv6
		}
		if p.dst.IsMulticast() {
			eth.Dst = header.MulticastMAC(p.dst)
		} else if p.dst == netip.MustParseAddr("10.0.0.255") {
			eth.Dst = header.Broadcast
		}
		b = append(eth.Append(nil), b...)
	}
	s.frame(b)
}

// encode is an IP packet.
func encode(p packet) []byte {
	if p.ttl == 0 {
		p.ttl = 64
	}
	if p.dst.Is4() {
		ip := header.IPv4{
			TOS: p.tos, PayloadLen: len(p.payload), ID: uint16(p.id), DF: p.df, MF: p.mf, Offset: p.offset,
			TTL: p.ttl, Protocol: p.protocol, Src: p.src, Dst: p.dst,
		}
		if p.alert {
			ip.Options = []byte(header.IPv4RouterAlert)
		}
		if p.options != "" {
			ip.Options = []byte(p.options)
		}
		return append(ip.Append(nil), p.payload...)
	}
	ip := header.IPv6{TrafficClass: p.tos, NextHeader: p.protocol, HopLimit: p.ttl, Src: p.src, Dst: p.dst}
	var ext []byte
	if p.alert {
		ip.NextHeader = header.ProtocolHopByHop
		ext = header.AppendRouterAlert(ext, p.protocol)
	}
	if p.mf || p.offset > 0 {
		ip.NextHeader = header.ProtocolFragment
		f := header.Fragment{NextHeader: p.protocol, Offset: p.offset, More: p.mf, ID: p.id}
		ext = f.Append(ext)
	}
	ip.PayloadLen = len(ext) + len(p.payload)
	return append(append(ip.Append(nil), ext...), p.payload...)
}

// together sends what f sends as one batch.
func (s *station) together(f func()) {
	s.t.Helper()
	s.gathering = true
	f()
	s.gathering = false
	if n, err := s.dev.Output(s.gathered); n != len(s.gathered) || err != nil {
		s.t.Errorf("the wire took %d of %d frames: %v", n, len(s.gathered), err)
	}
	s.gathered = nil
}

// frame sends bytes.
func (s *station) frame(b []byte) {
	if s.gathering {
		s.gathered = append(s.gathered, link.Frame{Payload: b})
		return
	}
	if n, err := s.dev.Output([]link.Frame{{Payload: b}}); n != 1 || err != nil {
		s.t.Errorf("the wire did not take a frame: %v", err)
	}
}

// silence makes the station answer nothing, or answer again.
func (s *station) silence(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = on
}

// onPacket sets what is called with each packet.
func (s *station) onPacket(f func(*packet)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = f
}

// take returns the packets that f picks of those that came since the last call;
// nil picks all.
func (s *station) take(f func(*packet) bool) []*packet {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.packets
	s.packets = nil
	if f == nil {
		return all
	}
	return slices.DeleteFunc(all, func(p *packet) bool { return !f(p) })
}

// one returns the one packet that f picks of those that came since the last
// call; nil picks all but reports.
func (s *station) one(what string, f func(*packet) bool) *packet {
	s.t.Helper()
	if f == nil {
		f = notReport
	}
	all := s.take(f)
	if len(all) != 1 {
		s.t.Fatalf("%s: %d packets, want one", what, len(all))
	}
	return all[0]
}

// notReport picks all packets but those in which a host tells of its groups, as it does
// again by itself a while after it has joined them.
func notReport(p *packet) bool {
	return p.protocol != header.ProtocolIGMP && !p.isICMP(header.ICMPv6MLDv2Report, 0)
}

// none fails the test if f picks a packet of those that came since the last
// call; nil picks all but reports.
func (s *station) none(what string, f func(*packet) bool) {
	s.t.Helper()
	if f == nil {
		f = notReport
	}
	for _, p := range s.take(f) {
		s.t.Errorf("%s: %x", what, p.frame)
	}
}

// serve makes the station accept every connection and send back what it gets,
// with nothing remembered: what it is to say follows from each segment.
func (s *station) serve() { s.echo(header.SYN, header.SYN|header.ACK) }

// call makes the station end the handshakes of connections that the test opens
// with a SYN, and send back what it gets.
func (s *station) call() { s.echo(header.SYN|header.ACK, header.ACK) }

func (s *station) echo(opening, answer header.TCPFlags) {
	s.mu.Lock()
	s.blind = true
	s.mu.Unlock()
	s.onPacket(func(p *packet) {
		h, data := p.tcp()
		src, dst := netip.AddrPortFrom(p.src, h.SrcPort), netip.AddrPortFrom(p.dst, h.DstPort)
		switch {
		case p.protocol != header.ProtocolTCP:
		case p.isTCP(opening):
			s.segment(dst, src, header.TCP{Flags: answer, Seq: h.Ack, Ack: h.Seq.Add(1), Window: 65535}, nil)
		case len(data) > 0:
			s.segment(dst, src, header.TCP{Flags: header.ACK | header.PSH, Seq: h.Ack, Ack: h.Seq.Add(len(data)), Window: 65535}, data)
		}
	})
}
