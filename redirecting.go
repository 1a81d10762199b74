package berth

import (
	"net/netip"
	"sync"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
)

// redirecting bounds the redirects that the host sends. Its lock guards limits,
// and is taken while no other is held.
type redirecting struct {
	mu     sync.Mutex
	limits icmp.Redirects
}

func (r *redirecting) allow(h *Host, host netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits.Allow(h.now(), host)
}

// redirect tells the sender of a packet, which leaves by the interface that it came
// in on, of the better first hop (RFC 1812 section 5.2.7.2, RFC 4861 section 8.2):
// if that sender is a neighbor itself, and did not choose the way.
func (h *Host) redirect(in *inPacket, p *path) {
	if p.ifc != in.ifc || in.ifc.linkHeader == 0 || h.config.SendNoRedirects ||
		in.options != nil && in.options.HasRoute() || p.direct(in.src) {
		return
	}
	back, err := h.route(in.src, netip.Addr{}, in.ifc.index)
	if err != nil || !back.direct(in.src) {
		return
	}
	sent := false
	if in.src.Is4() {
		sent = h.redirectIPv4(in, p, &back)
	} else {
		sent = h.redirectIPv6(in, p)
	}
	if sent {
		h.count.ICMP.RedirectsSent.Add(1)
	}
}

// redirectIPv4 sends a redirect for one host, whatever the route is for.
func (h *Host) redirectIPv4(in *inPacket, p, back *path) bool {
	packet := in.packet(header.MinMTU6)
	if !icmp.MaySend4(packet, icmp.Arrival{}) || !h.redirecting.allow(h, in.src) {
		return false
	}
	m := header.ICMP{Type: header.ICMPv4Redirect, Code: header.ICMPv4RedirectHost, Rest: p.next.As4()}
	h.sendICMP(back, back.src, in.src, 0, icmp.AppendError4(nil, &m, packet), nil)
	return true
}

// redirectIPv6 sends a redirect from the link-local address, by which hosts know a
// router, to another router's or to the destination itself.
func (h *Host) redirectIPv6(in *inPacket, p *path) bool {
	if !p.direct(in.dst) && !p.next.IsLinkLocalUnicast() {
		return false // a router that hosts would not know
	}
	own, err := h.route(allNodes, netip.Addr{}, in.ifc.index)
	if err != nil || !own.src.IsLinkLocalUnicast() {
		return false
	}
	out, err := h.route(in.src, own.src, in.ifc.index)
	packet := in.packet(header.MinMTU6)
	if err != nil || !icmp.MaySend6(packet, icmp.Arrival{}, header.ICMPv6Redirect, false) || !h.redirecting.allow(h, in.src) {
		return false
	}
	m := header.Redirect{Target: p.next, Destination: in.dst}
	if ifc := in.ifc; ifc.nd != nil {
		ifc.mu.Lock()
		m.TargetHW, m.HasTargetHW = ifc.nd.Resolve(h.now(), p.next)
		ifc.act()
	}
	// So much of the packet that the message fits every link.
	m.Quoted = packet[:min(len(packet), maxRedirected6)]
	d := datagramOut{
		transport:  transport{protocol: header.ProtocolICMPv6, src: own.src, dst: in.src, ttl: 255},
		payload:    m.Append(nil),
		checksumAt: -1,
	}
	header.PutICMPv6Checksum(d.payload, d.src, d.dst)
	h.count.ICMP.Out.Add(1)
	return h.emit(&out, &d) == nil
}

// maxRedirected6 is how much of a packet a redirect of 1280 bytes has room for,
// behind its own headers and the option with an Ethernet address.
const maxRedirected6 = header.MinMTU6 - header.IPv6Len - 40 - 8 - 8
