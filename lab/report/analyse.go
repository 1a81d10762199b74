package report

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// analysis is what is known of a recording's packets. The first slices have an
// element for each packet of the recording; label and fields for each shown.
type analysis struct {
	flows  *flows
	at     []position
	total  int   // packets on links that exist
	shown  []int // those in the page
	label  []string
	fields []string
}

// analyse reads all packets in order.
func analyse(r *Recording) *analysis {
	a := &analysis{flows: newFlows(r.Nodes), at: make([]position, len(r.Packets))}
	var real []int
	for i := range r.Packets {
		if _, _, ok := r.ends(&r.Packets[i]); ok {
			real = append(real, i)
		}
	}
	a.total = len(real)
	for _, k := range ends(len(real), MaxPackets) {
		a.shown = append(a.shown, real[k])
	}
	var scratch []byte
	next := 0
	for _, i := range real {
		p := &r.Packets[i]
		from, to, _ := r.ends(p)
		var what *reading
		what, scratch = dissect(r.Links[p.Link].Medium, p.Data, p.Len, scratch)
		a.at[i] = a.flows.see(what, p, from, to)
		if next < len(a.shown) && a.shown[next] == i {
			next++
			a.label = append(a.label, what.label(&a.at[i]))
			a.fields = append(a.fields, what.fields(&a.at[i]))
		}
	}
	overtaken(r.Packets, a.at)
	return a
}

// stream finds the connection that a sample is of, by its five-tuple; of several
// that had the same ends one after the other, the latest that has its number.
func (a *analysis) stream(s *Sample) (way, bool) {
	w, ok := a.flows.of[tuple{protocol: protocolName(header.ProtocolTCP), src: unmapped(s.Local), dst: unmapped(s.Remote)}]
	if !ok {
		return way{}, false
	}
	for latest := w; ; {
		f := a.flows.all[w.flow]
		if f.streams[side(w.back)].has(s.Nxt) {
			return w, true
		}
		if f.again == 0 {
			return latest, true
		}
		w = way{f.before, a.flows.all[f.before].src != unmapped(s.Local)}
	}
}

// unmapped is an IPv4 address as packets have it, also of a socket of IPv6.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
