package berth

import (
	"net/netip"
	"time"

	"example.com/berth/internal/autoconf"
	"example.com/berth/internal/header"
	"example.com/berth/internal/neighbor"
	"example.com/berth/link"
)

// cache is the neighbor cache for the family of an address. The lock is held.
func (ifc *Interface) cache(a netip.Addr) *neighbor.Table[*link.Kept] {
	if a.Is4() {
		return ifc.arp
	}
	return ifc.nd
}

// resolve finds the Ethernet address of a next hop. If it is not known, the
// frames wait in the cache, copies as they are lent, while it is asked for.
func (ifc *Interface) resolve(frames []link.Frame, next netip.Addr) (header.MAC, bool) {
	now := ifc.host.now()
	ifc.mu.Lock()
	t := ifc.cache(next)
	mac, ok := t.Resolve(now, next)
	if !ok {
		for i := range frames {
			kept := frames[i].Keep()
			t.Pend(now, next, frameSource(kept.Head[ifc.linkHeader:]), kept, headSize+kept.Len())
		}
	}
	ifc.act()
	return mac, ok
}

// frameSource is the source address of an IP packet.
func frameSource(b []byte) netip.Addr {
	if b[0]>>4 == 4 {
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return netip.AddrFrom16([16]byte(b[8:24]))
}

// linkWork is what the machines on a link have asked for.
type linkWork struct {
	neighbors []neighbor.Action[*link.Kept]
	conf      []autoconf.Action
	reports   []groupReport
}

// act arms the interface's timer, unlocks it, and carries out what the machines
// on the link have asked for. The lock is held on entry and not on return. One
// goroutine acts at a time, so that what waited goes out in order.
func (ifc *Interface) act() {
	if ifc.acting {
		ifc.mu.Unlock()
		return
	}
	ifc.acting = true
	for ifc.takeWork() {
		w := ifc.work
		ifc.work = linkWork{}
		ifc.mu.Unlock()
		w.do(ifc)
		ifc.mu.Lock()
		ifc.work = w.emptied()
	}
	ifc.acting = false
	ifc.arm()
	ifc.mu.Unlock()
}

// takeWork collects what there is to do. The lock is held.
func (ifc *Interface) takeWork() bool {
	w := &ifc.work
	if ifc.arp != nil {
		w.neighbors = ifc.nd.Take(ifc.arp.Take(w.neighbors))
	}
	w.conf = ifc.conf.Take(w.conf)
	if ifc.acd != nil {
		w.conf = ifc.acd.Take(w.conf)
	}
	w.reports = ifc.takeReports(w.reports)
	return len(w.neighbors)+len(w.conf)+len(w.reports) > 0
}

func (w *linkWork) do(ifc *Interface) {
	for i := range w.neighbors {
		ifc.do(&w.neighbors[i])
	}
	for i := range w.conf {
		ifc.doConf(&w.conf[i])
	}
	for i := range w.reports {
		ifc.sendReport(&w.reports[i])
	}
}

// emptied keeps the memory of the lists.
func (w *linkWork) emptied() linkWork {
	clear(w.neighbors)
	return linkWork{w.neighbors[:0], w.conf[:0], w.reports[:0]}
}

// arm schedules the next deadline of the machines. The lock is held.
func (ifc *Interface) arm() {
	next := earliest(ifc.conf.Deadline(), ifc.groupDeadline())
	if ifc.acd != nil {
		next = earliest(next, ifc.acd.Deadline())
	}
	if ifc.arp != nil {
		next = earliest(next, earliest(ifc.arp.Deadline(), ifc.nd.Deadline()))
	}
	if next != 0 {
		ifc.host.timers.schedule(&ifc.timer, next)
	}
}

// earliest is the first of two deadlines, of which 0 is none.
func earliest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// runMachines does what is due. The lock is held.
func (ifc *Interface) runMachines(now time.Duration) {
	if ifc.arp != nil {
		ifc.arp.Timer(now)
		ifc.nd.Timer(now)
	}
	ifc.conf.Timer(now)
	if ifc.acd != nil {
		ifc.acd.Timer(now)
	}
	ifc.groupTimer(now)
}

func (ifc *Interface) do(a *neighbor.Action[*link.Kept]) {
	switch a.Op {
	case neighbor.Solicit:
		ifc.solicit(a)
	case neighbor.Send:
		ifc.putEthernet(a.Packet.Head, a.MAC)
		frames := [1]link.Frame{a.Packet.Frame}
		ifc.transmit(frames[:])
		a.Packet.Release()
	case neighbor.Report:
		ifc.host.count.IP.Unresolved.Add(1)
		ifc.host.unreachableNeighbor(ifc, a.Packet)
		a.Packet.Release()
	case neighbor.Free:
		ifc.host.count.IP.Unresolved.Add(1)
		a.Packet.Release()
	case neighbor.Lost, neighbor.NotRouter:
		ifc.routerLost(a.Addr, a.Op == neighbor.NotRouter)
	case neighbor.Found:
		ifc.host.gateways.found(ifc, a.Addr)
	}
}

// solicit asks for a neighbor's Ethernet address.
func (ifc *Interface) solicit(a *neighbor.Action[*link.Kept]) {
	if a.Addr.Is4() {
		ifc.arpRequest(a)
		return
	}
	src := a.Source
	if l, ok := ifc.host.net.Load().local.get(ifc.scoped(src)); !ok || l.ifc != ifc || l.tentative {
		src, ok = ifc.sourceFor(a.Addr)
		if !ok {
			return
		}
	}
	ns := header.NeighborSolicit{Target: a.Addr, HasSourceHW: true, SourceHW: ifc.info.Load().Addr}
	dst := neighbor.SolicitedNode(a.Addr)
	mac := header.MulticastMAC(dst)
	if a.Unicast {
		dst, mac = a.Addr, a.MAC
	}
	ifc.sendND(src, dst, mac, ns.Append(nil))
}

// sourceFor is an address of the interface to send from to a neighbor.
func (ifc *Interface) sourceFor(dst netip.Addr) (netip.Addr, bool) {
	p, err := ifc.host.route(ifc.scoped(dst), netip.Addr{}, ifc.index)
	if err != nil || p.ifc != ifc {
		return netip.Addr{}, false
	}
	return p.src, true
}

// sendND sends a neighbor discovery message: hop limit 255, past the neighbor
// cache.
func (ifc *Interface) sendND(src, dst netip.Addr, mac header.MAC, message []byte) {
	header.PutICMPv6Checksum(message, src, dst)
	ifc.host.count.ICMP.Out.Add(1)
	ifc.emitDirect(&transport{
		protocol: header.ProtocolICMPv6, src: src, dst: dst, ttl: 255,
	}, nil, message, mac)
}

// emitDirect sends a small packet of the host's own to an Ethernet address that
// is known, or on a link without such addresses to everybody on it.
func (ifc *Interface) emitDirect(t *transport, extension, message []byte, mac header.MAC) {
	p := path{ifc: ifc, next: t.dst, mtu: ifc.MTU()}
	b := batches.Get().(*batch)
	head := p.appendIP(b.heads[0][:0], t, len(extension)+len(message))
	head = append(head, extension...)
	if ifc.linkHeader > 0 {
		ifc.putEthernet(head, mac)
	}
	b.frames[0].Head, b.frames[0].Payload = head, message
	b.n = 1
	ifc.host.count.IP.Out.Add(1)
	ifc.transmit(b.frames[:1])
	b.release()
}

// arpRequest asks for the Ethernet address of an IPv4 neighbor.
func (ifc *Interface) arpRequest(a *neighbor.Action[*link.Kept]) {
	src, ok := a.Source, true
	if l, own := ifc.host.net.Load().local.get(src); !own || l.ifc != ifc {
		if src, ok = ifc.sourceFor(a.Addr); !ok {
			return
		}
	}
	dst := header.Broadcast
	if a.Unicast {
		dst = a.MAC
	}
	ifc.sendARP(&header.ARP{
		Op: header.ARPRequest, SenderHW: ifc.info.Load().Addr, Sender: src,
		TargetHW: a.MAC, Target: a.Addr,
	}, dst)
}

func (ifc *Interface) sendARP(a *header.ARP, dst header.MAC) {
	eth := header.Ethernet{Dst: dst, Src: ifc.info.Load().Addr, Type: header.EtherTypeARP}
	var room [header.EthernetLen + 28]byte
	frames := [1]link.Frame{{Head: a.Append(eth.Append(room[:0]))}}
	ifc.transmit(frames[:])
}

// receiveARP takes an ARP packet: it tells the cache, and answers a request for
// an address of this interface (RFC 826).
func (ifc *Interface) receiveARP(b []byte, dst header.MAC) {
	c := &ifc.host.count.Neighbor
	c.ARPIn.Add(1)
	var a header.ARP
	if _, err := a.Parse(b); err != nil {
		c.Malformed.Add(1)
		return
	}
	if ifc.acdInput(&a) {
		c.Duplicates.Add(1)
		return
	}
	n := ifc.host.net.Load()
	if l, ok := n.local.get(a.Sender); ok && l.ifc == ifc && a.SenderHW != ifc.info.Load().Addr {
		c.Duplicates.Add(1) // RFC 5227 section 2.4: somebody has our address
		return
	}
	l, forUs := n.local.get(a.Target)
	forUs = forUs && l.ifc == ifc && !l.tentative
	ifc.mu.Lock()
	ifc.arp.ARP(ifc.host.now(), &a, forUs, !dst.IsMulticast())
	ifc.act()
	if forUs && a.Op == header.ARPRequest {
		ifc.sendARP(&header.ARP{
			Op: header.ARPReply, SenderHW: ifc.info.Load().Addr, Sender: a.Target,
			TargetHW: a.SenderHW, Target: a.Sender,
		}, a.SenderHW)
	}
}

// confirm tells the cache that a neighbor is reachable, since a transport that
// sends through it makes progress (RFC 4861 section 7.3.1).
func (ifc *Interface) confirm(next netip.Addr) {
	if ifc.linkHeader == 0 {
		return
	}
	ifc.mu.Lock()
	ifc.cache(next).Confirm(ifc.host.now(), next)
	ifc.act()
}

// timerFired is called by the host's timer.
func (ifc *Interface) timerFired(time.Duration) {
	now := ifc.host.now()
	ifc.mu.Lock()
	ifc.runMachines(now)
	ifc.act()
}
