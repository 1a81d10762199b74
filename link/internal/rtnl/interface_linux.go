package rtnl

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// State is what an interface is at one moment.
type State struct {
	Index int
	Name  string
	MTU   int
	// Up: it is set up, and its carrier is there.
	Up bool
	// Addr is the Ethernet address, zero on an interface without one.
	Addr [6]byte
	// Ethernet tells whether it is an Ethernet interface, which loopback is not.
	Ethernet bool
}

// Interface is one interface of the kernel. Its methods may be called from
// several goroutines at once.
type Interface struct {
	index  int
	link   netlink.Link // for requests: of its attributes only the index counts
	events *os.File     // netlink socket of the RTNLGRP_LINK group

	mu     sync.Mutex // guards handle, which Close takes away
	handle *netlink.Handle
}

// Find returns the interface of that name in the namespace of the calling
// thread, and its state. Changes after that are not lost on Watch.
func Find(name string) (*Interface, State, error) {
	events, err := subscribe()
	if err != nil {
		return nil, State{}, fmt.Errorf("netlink: %w", err)
	}
	i := &Interface{events: events}
	if i.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		i.Close()
		return nil, State{}, fmt.Errorf("netlink: %w", err)
	}
	if i.link, err = i.handle.LinkByName(name); err != nil {
		i.Close()
		return nil, State{}, explain(err)
	}
	i.index = i.link.Attrs().Index
	return i, stateOf(i.link), nil
}

// request runs f with the handle, unless Close was there before.
func (i *Interface) request(f func(*netlink.Handle) error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.handle == nil {
		return os.ErrClosed
	}
	return f(i.handle)
}

// explain turns netlink's own type for an interface that is not there into
// ENODEV.
func explain(err error) error {
	if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
		return unix.ENODEV
	}
	return err
}

func stateOf(l netlink.Link) State {
	a := l.Attrs()
	const running = unix.IFF_UP | unix.IFF_RUNNING
	s := State{Index: a.Index, Name: a.Name, MTU: a.MTU, Up: a.RawFlags&running == running}
	s.Ethernet = a.EncapType == "ether"
	if len(a.HardwareAddr) == len(s.Addr) {
		s.Addr = [6]byte(a.HardwareAddr)
	}
	return s
}

// State asks the kernel for the state. The error is ENODEV when the interface
// is gone.
func (i *Interface) State() (s State, err error) {
	err = i.request(func(h *netlink.Handle) error {
		l, err := h.LinkByIndex(i.index)
		if err != nil {
			return explain(err)
		}
		s = stateOf(l)
		return nil
	})
	return s, err
}

// AddAddr gives the interface an address. If the interface is up, it can be used
// at once: duplicate address detection is left out for IPv6 (IFA_F_NODAD). One
// that is there already is no error.
func (i *Interface) AddAddr(p netip.Prefix) error {
	a := &netlink.Addr{IPNet: &net.IPNet{
		IP:   p.Addr().AsSlice(),
		Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	err := i.request(func(h *netlink.Handle) error { return h.AddrAdd(i.link, a) })
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	if s, err := i.State(); err != nil || !s.Up || p.Addr().Is4() {
		return err
	}
	return i.awaitLocal(a.IP)
}

// awaitLocal waits until the kernel takes packets to an IPv6 address: even
// without duplicate address detection it enters the route to itself later, from
// a work queue.
func (i *Interface) awaitLocal(ip net.IP) error {
	const limit = time.Second
	for wait := 50 * time.Microsecond; wait < limit; wait *= 2 {
		local := false
		err := i.request(func(h *netlink.Handle) error {
			routes, err := h.RouteGet(ip)
			local = err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
			return nil
		})
		if err != nil || local {
			return err
		}
		time.Sleep(wait)
	}
	return fmt.Errorf("not in use after %v: %w", limit, unix.ETIMEDOUT)
}

// SetMTU changes the largest IP packet.
func (i *Interface) SetMTU(mtu int) error {
	return i.request(func(h *netlink.Handle) error { return h.LinkSetMTU(i.link, mtu) })
}

// SetUp brings the interface up.
func (i *Interface) SetUp() error {
	return i.request(func(h *netlink.Handle) error { return h.LinkSetUp(i.link) })
}

// SetQueueLength changes how many packets wait for the device at most.
func (i *Interface) SetQueueLength(packets int) error {
	return i.request(func(h *netlink.Handle) error { return h.LinkSetTxQLen(i.link, packets) })
}

// Close ends Watch and gives the sockets back. A second Close does nothing.
func (i *Interface) Close() {
	i.events.Close()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.handle != nil {
		i.handle.Close()
		i.handle = nil
	}
}
