package berth

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"example.com/berth/internal/autoconf"
	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/neighbor"
	"example.com/berth/link"
)

// Interface is a host's attachment to a link: a device with addresses. Its
// methods may be called from several goroutines at once.
//
// Its lock, mu, guards the machines that run on the link: the neighbor caches,
// address autoconfiguration and group membership. Addresses belong to the
// host's configuration and are guarded by the host's lock.
type Interface struct {
	host       *Host
	index      int
	name       string
	dev        link.Device
	info       atomic.Pointer[link.Info]
	linkHeader int  // bytes before the IP header
	reads      bool // the device brings frames on a goroutine of its own: it is a link.Drainer

	addrs []Addr // guarded by host.mu; replaced, never changed

	mu       sync.Mutex
	arp, nd  *neighbor.Table[*link.Kept] // nil unless the medium is Ethernet
	conf     *autoconf.Interface
	acd      *autoconf.ACD // nil without Config.DetectConflicts
	groups   memberships
	work     linkWork
	acting   bool // somebody carries work out
	timer    timerEntry
	hopLimit atomic.Int32 // from router advertisements; 0: the default
	mtu6     atomic.Int32 // the same: of IPv6; 0: that of the device
}

// Addr is an address of an interface.
type Addr struct {
	Prefix netip.Prefix
	// Tentative is set while duplicate address detection runs (RFC 4862
	// section 5.4): the address is not used yet.
	Tentative bool
	// Deprecated addresses are not chosen for new connections if there are
	// others (RFC 4862 section 5.5.4).
	Deprecated bool
	// Temporary is set on a temporary address (RFC 8981).
	Temporary bool
	// Auto is set on an address that the interface gave itself.
	Auto bool
}

// Attach joins the host to a link and gives the new interface addresses with
// the lengths of their prefixes, such as "10.77.0.2/24". The host closes the
// device when it is closed.
//
// Errors: what is wrong with a prefix, EADDRINUSE for an address that the host
// has on another interface, ENETDOWN on a closed host, and the device's own.
// The interface is not made then, and the device is left to the caller.
func (h *Host) Attach(dev link.Device, prefixes ...string) (*Interface, error) {
	var parsed []netip.Prefix
	for _, s := range prefixes {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, failed(errNoPrefix, "attach "+dev.Info().Name, "address "+strconv.Quote(s))
		}
		if err := h.checkNewAddr(p); err != nil {
			return nil, failed(err, "attach "+dev.Info().Name, "address "+p.String())
		}
		parsed = append(parsed, p)
	}
	ifc := h.addInterface(dev)
	if ifc == nil {
		return nil, failed(syscall.ENETDOWN, "attach "+dev.Info().Name, "the host is closed")
	}
	if err := dev.Attach((*inlet)(ifc)); err != nil {
		return nil, errors.Join(failed(err, "attach "+dev.Info().Name), h.dropInterface(ifc))
	}
	for _, p := range parsed {
		if err := ifc.AddAddr(p); err != nil {
			return nil, errors.Join(err, h.dropInterface(ifc))
		}
	}
	ifc.startConf()
	return ifc, nil
}

// addInterface makes an interface of a device; nil if the host is closed.
func (h *Host) addInterface(dev link.Device) *Interface {
	ifc := &Interface{host: h, dev: dev}
	_, ifc.reads = dev.(link.Drainer)
	info := dev.Info()
	ifc.info.Store(&info)
	ifc.timer.owner = ifc
	if info.Medium == link.Ethernet {
		ifc.linkHeader = header.EthernetLen
		cfg := neighbor.Config{Rand: h.random.Uint64, LearnUnsolicited: h.config.Forwarding}
		ifc.arp = neighbor.New[*link.Kept](cfg)
		ifc.nd = neighbor.New[*link.Kept](cfg)
	}
	if h.change(func(n *network) error {
		ifc.index = len(n.interfaces) + 1
		ifc.name = n.interfaceName(info, ifc.index)
		ifc.initConf()
		ifc.initGroups()
		n.interfaces = append(slices.Clip(n.interfaces), ifc)
		return nil
	}) != nil {
		return nil
	}
	return ifc
}

// interfaceName is the device's own name, made unique, or one of the usual form.
func (n *network) interfaceName(info link.Info, index int) string {
	name := info.Name
	taken := func(ifc *Interface) bool { return ifc.name == name }
	if name == "" || slices.ContainsFunc(n.interfaces, taken) {
		name = "eth" + strconv.Itoa(index-2)
	}
	for i := index; slices.ContainsFunc(n.interfaces, taken); i++ {
		name = "eth" + strconv.Itoa(i)
	}
	return name
}

// dropInterface makes an interface that could not be brought up harmless. Its
// index is not given to another one.
func (h *Host) dropInterface(ifc *Interface) error {
	return h.change(func(n *network) error {
		ifc.addrs = nil
		n.dropRoutes(ifc)
		return nil
	})
}

// checkNewAddr tells what is wrong with an address for an interface.
func (h *Host) checkNewAddr(p netip.Prefix) error {
	a := p.Addr()
	switch {
	case !p.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.Is4In6() || a == broadcastAll:
		return syscall.EINVAL
	case needsZone(a): // one on each link
		return nil
	}
	if l, ok := h.net.Load().local.get(a); ok {
		return &failure{"interface " + l.ifc.name + " has it already", syscall.EADDRINUSE}
	}
	return nil
}

// AddAddr gives the interface an address, and a route to the prefix. Errors:
// EINVAL, EADDRINUSE.
func (ifc *Interface) AddAddr(p netip.Prefix) error {
	err := ifc.addAddr(Addr{Prefix: p, Tentative: ifc.detectsDuplicates(p.Addr()) || ifc.detectsConflicts(p.Addr())})
	if err != nil {
		return failed(err, "interface "+ifc.name, "add address "+p.String())
	}
	ifc.confAdd(p)
	ifc.acdAdd(p)
	return nil
}

func (ifc *Interface) addAddr(a Addr) error {
	a.Prefix = netip.PrefixFrom(a.Prefix.Addr().WithZone(""), a.Prefix.Bits())
	if err := ifc.host.checkNewAddr(a.Prefix); err != nil {
		return err
	}
	return ifc.host.change(func(n *network) error {
		if slices.ContainsFunc(ifc.addrs, func(x Addr) bool { return x.Prefix.Addr() == a.Prefix.Addr() }) {
			return syscall.EADDRINUSE
		}
		ifc.addrs = append(slices.Clip(ifc.addrs), a)
		return n.addConnected(ifc, a.Prefix)
	})
}

// RemoveAddr takes an address away. Connections that use it go on until they
// time out. EADDRNOTAVAIL: the interface does not have it.
func (ifc *Interface) RemoveAddr(addr netip.Addr) error {
	addr = addr.WithZone("")
	if err := ifc.dropAddr(addr); err != nil {
		return failed(err, "interface "+ifc.name, "remove address "+addr.String())
	}
	if addr.Is6() {
		ifc.confRemove(addr)
	}
	ifc.acdRemove(addr)
	return nil
}

func (ifc *Interface) dropAddr(addr netip.Addr) error {
	return ifc.host.change(func(n *network) error {
		i := slices.IndexFunc(ifc.addrs, func(x Addr) bool { return x.Prefix.Addr() == addr })
		if i < 0 {
			return syscall.EADDRNOTAVAIL
		}
		p := ifc.addrs[i].Prefix
		ifc.addrs = lean.Remove(slices.Clone(ifc.addrs), i)
		if !slices.ContainsFunc(ifc.addrs, func(x Addr) bool { return x.Prefix.Masked() == p.Masked() }) {
			n.removeConnected(ifc, p)
		}
		return nil
	})
}

// Addrs returns the interface's addresses.
func (ifc *Interface) Addrs() []Addr {
	ifc.host.mu.Lock()
	defer ifc.host.mu.Unlock()
	return slices.Clone(ifc.addrs)
}

// Name is the interface's name, the zone of its link-local addresses.
func (ifc *Interface) Name() string { return ifc.name }

// Index is the interface's number, from 1.
func (ifc *Interface) Index() int { return ifc.index }

// Device is the device that the interface was made of.
func (ifc *Interface) Device() link.Device { return ifc.dev }

// MTU is the largest IP packet of the link, in bytes.
func (ifc *Interface) MTU() int { return ifc.info.Load().MTU }

// addressOn is the address that an interface would answer a group's packet
// from; the zero Addr if it has none.
func (h *Host) addressOn(index int, group netip.Addr) netip.Addr {
	if ifc := h.interfaceByIndex(index); ifc != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, a := range ifc.addrs {
			if a.Prefix.Addr().Is4() == group.Is4() {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// inlet is an interface as its device sees it.
type inlet Interface

// Input takes frames to their sockets.
func (in *inlet) Input(frames []link.Frame) {
	ifc := (*Interface)(in)
	if len(frames) == 1 {
		ifc.receive(&frames[0], nil)
		return
	}
	batch := arrivalsPool.Get().(*arrivals)
	for i := range frames {
		ifc.receive(&frames[i], batch)
	}
	batch.settle()
}

// drain has what waits in the device handed in, if that can be done. No lock is
// held.
func (ifc *Interface) drain() {
	if d, ok := ifc.dev.(link.Drainer); ok {
		d.Drain()
	}
}

// Concurrent implements link.ConcurrentHandler: what comes in is guarded by the locks
// of what it is for. With a Scheduler all happens on one goroutine.
func (in *inlet) Concurrent() bool { return (*Interface)(in).host.turns == nil }

// Changed takes over what has changed of the device.
func (in *inlet) Changed() {
	ifc := (*Interface)(in)
	info := ifc.dev.Info()
	was := ifc.info.Swap(&info)
	ifc.host.gen.Add(1)
	switch {
	case info.Up && !was.Up:
		ifc.startConf()
	case was.Up && !info.Up:
		ifc.stopConf()
	}
}
