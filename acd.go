package berth

import (
	"net/netip"

	"example.com/berth/internal/autoconf"
	"example.com/berth/internal/header"
)

// initACD makes the machine that looks for conflicts of IPv4 addresses, where
// that is wanted and there is ARP to do it with.
func (ifc *Interface) initACD() {
	if ifc.host.config.DetectConflicts && ifc.linkHeader > 0 {
		ifc.acd = autoconf.NewACD(autoconf.ACDConfig{
			MAC: ifc.info.Load().Addr, Rand: ifc.host.random.Uint64,
		})
	}
}

// detectsConflicts tells whether an address is probed for before it is used.
func (ifc *Interface) detectsConflicts(a netip.Addr) bool { return ifc.acd != nil && a.Is4() }

// acdAdd begins to probe for an address that was set by hand. The host has
// checked what the machine's Add checks.
func (ifc *Interface) acdAdd(p netip.Prefix) {
	if !ifc.detectsConflicts(p.Addr()) {
		return
	}
	ifc.mu.Lock()
	_ = ifc.acd.Add(ifc.host.now(), p)
	ifc.act()
}

func (ifc *Interface) acdRemove(a netip.Addr) {
	if !ifc.detectsConflicts(a) {
		return
	}
	ifc.mu.Lock()
	ifc.acd.Remove(a)
	ifc.act()
}

// acdInput shows the machine an ARP packet, and tells whether that is another
// host's claim to an address of this interface.
func (ifc *Interface) acdInput(a *header.ARP) (conflict bool) {
	if ifc.acd == nil {
		return false
	}
	ifc.mu.Lock()
	conflict = ifc.acd.ARP(ifc.host.now(), a)
	ifc.act()
	return conflict
}

// arpAsk sends an ARP request to all: a probe if src is 0.0.0.0, an announcement
// if src is the target (RFC 5227 section 1.1).
func (ifc *Interface) arpAsk(src, target netip.Addr) {
	ifc.sendARP(&header.ARP{
		Op: header.ARPRequest, SenderHW: ifc.info.Load().Addr, Sender: src, Target: target,
	}, header.Broadcast)
}
