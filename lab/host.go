package lab

import (
	"context"
	"encoding/binary"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// A Host is a machine with a TCP/IP stack of its own. It is a socket.Provider
// and a netconn.Resolver: names are those of the network's hosts.
type Host struct {
	nodeBase
	face
	cfg    berth.Config
	routes []berth.Route // that the lab gave it; used in turns only

	mu    sync.Mutex // guards what follows
	stack *berth.Host
	boots uint64
	down  bool // crashed, or shut down
	gone  bool // for good: the network is closed
}

// Host makes a host, or returns the one of that name.
func (n *Network) Host(name string, opts ...HostOption) *Host {
	if n.tb != nil {
		n.tb.Helper()
	}
	n.mu.Lock()
	h, ok := n.names[name].(*Host)
	n.mu.Unlock()
	if ok && len(opts) == 0 {
		return h
	}
	h = &Host{}
	n.addHost("host", name, "host", h, h, opts)
	return h
}

// addHost enters a node that is, or has, a host, and starts it.
func (n *Network) addHost(op, name, kind string, v node, h *Host, opts []HostOption) {
	if n.tb != nil {
		n.tb.Helper()
	}
	for _, o := range opts {
		o(&h.cfg)
	}
	h.face = face{provider: h, names: h}
	n.add(op, name, kind, v)
	h.start()
}

// A HostOption changes how a host is made.
type HostOption func(*berth.Config)

// Config has a function change the configuration of the host's stack: buffers,
// memory, time-outs. Name, Seed and Scheduler belong to the lab.
func Config(f func(*berth.Config)) HostOption { return f }

// SendBuffer gives the host's connections send buffers of that many bytes from the
// start. Programs that hold a mutex while they write to a connection, as HTTP/2 and
// ssh do, stop a bubble's clock when the buffer is full: make it larger than what
// they write at once.
func SendBuffer(bytes int) HostOption {
	return func(c *berth.Config) { c.TCP.SendBuffer = berth.BufferSize{Default: bytes, Max: bytes} }
}

// hostOf is the host that a node is or has; nil for a switch.
func hostOf(v node) *Host {
	switch v := v.(type) {
	case *Host:
		return v
	case *Router:
		return &v.Host
	case *NAT:
		return &v.Host
	}
	return nil
}

// start boots the host's stack, and attaches it to the links that there are.
func (h *Host) start() {
	cfg := h.cfg
	cfg.Name = h.name
	cfg.Scheduler = h.net.sched
	cfg.IPv6.Disabled = true // no link-local addresses and the reports that they bring: captures stay readable
	h.mu.Lock()
	h.boots++
	binary.BigEndian.PutUint64(cfg.Seed[:], h.net.seed)
	copy(cfg.Seed[8:24], h.name)
	binary.BigEndian.PutUint64(cfg.Seed[24:], h.boots<<32|uint64(len(h.name)+1))
	if h.net.trace.on {
		cfg.Probe = func(p *berth.Probe) { h.net.trace.sample(h, p) }
	}
	h.stack = berth.NewHost(cfg)
	h.down = false
	h.mu.Unlock()
	for _, p := range h.ports {
		if err := h.attach(p); err != nil {
			h.net.misuse("restart "+h.name, "%v", err)
		}
	}
}

// attach gives the stack an interface on a port.
func (h *Host) attach(p *port) error {
	s := h.Stack()
	if s == nil {
		return nil // it will find the port when it starts
	}
	var prefixes []string
	for _, a := range p.addrs {
		prefixes = append(prefixes, a.String())
	}
	_, err := s.Attach(p.plug(), prefixes...)
	return err
}

// Stack returns the TCP/IP host: interfaces, routes, counters. It is nil while
// the host is down. A host that was restarted has another one.
func (h *Host) Stack() *berth.Host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return nil
	}
	return h.stack
}

// ready is the stack for a new socket.
func (h *Host) ready() (*berth.Host, error) {
	h.net.settleNow()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.gone:
		return nil, ErrClosed
	case h.down:
		return nil, syscall.ENETDOWN
	}
	return h.stack, nil
}

// Crash stops the host as a power cut does: it says nothing to anybody any more.
// Calls that wait on its sockets fail; its peers find out as they would.
func (h *Host) Crash() {
	h.net.sched.do(func() {
		h.net.trace.note(h.index, "crash", "")
		for _, p := range h.ports {
			p.unplug()
		}
	})
	h.stop()
}

// Shutdown stops the host as an orderly halt that does not wait: its connections
// are reset.
func (h *Host) Shutdown() {
	h.net.sched.do(func() { h.net.trace.note(h.index, "shutdown", "") })
	h.stop()
}

func (h *Host) stop() {
	h.mu.Lock()
	s := h.stack
	was := h.down
	h.down = true
	h.mu.Unlock()
	if !was {
		_ = s.Close() // of devices that cannot fail
	}
}

// Restart starts the host again, with nothing of what it knew but its addresses.
func (h *Host) Restart() {
	if s := h.Stack(); s != nil {
		h.Crash()
	}
	h.net.sched.do(func() { h.net.trace.note(h.index, "restart", "") })
	h.start()
	h.net.dirty.Store(true)
	h.net.settleNow()
}

// shut ends the host for good.
func (h *Host) shut() error {
	h.mu.Lock()
	h.gone = true
	s, was := h.stack, h.down
	h.down = true
	h.mu.Unlock()
	if was {
		return nil
	}
	return s.Close()
}

// Addr returns the host's first address; the zero Addr before it has a link.
func (h *Host) Addr() netip.Addr {
	if all := h.Addrs(); len(all) > 0 {
		return all[0]
	}
	return netip.Addr{}
}

// Addrs returns the host's addresses in the order of its links, IPv4 first.
func (h *Host) Addrs() (list []netip.Addr) {
	for _, v4 := range []bool{true, false} {
		for _, p := range h.ports {
			for _, a := range p.addrs {
				if a.Addr().Is4() == v4 {
					list = append(list, a.Addr())
				}
			}
		}
	}
	return list
}

// Socket makes a socket; see socket.Provider.
func (h *Host) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	s, err := h.ready()
	if err != nil {
		return nil, err
	}
	return s.Socket(domain, typ, protocol)
}

// SourceAddr returns the address that a packet to dst would have as its source;
// see berth.Host.
func (h *Host) SourceAddr(dst netip.Addr) (netip.Addr, error) {
	s, err := h.ready()
	if err != nil {
		return netip.Addr{}, err
	}
	return s.SourceAddr(dst)
}

// Poll waits until one of fds is ready; see socket.Provider.
func (h *Host) Poll(ctx context.Context, fds []socket.PollFD, timeout time.Duration) (int, error) {
	s, err := h.ready()
	if err != nil {
		return 0, err
	}
	return s.Poll(ctx, fds, timeout)
}

// As returns the host for one of several parts of a program that do the same
// thing at the same instant, such as connecting to one server: their calls take
// their turns in the order of these names, and so get the same ports in every
// run. Under one name calls at one instant take them in the order in which the
// goroutines were started.
func (h *Host) As(actor string) *Actor {
	a := &Actor{Host: h, name: actor}
	a.face = face{provider: a, names: h}
	return a
}

// An Actor is a host as one part of a program sees it; see [Host.As].
type Actor struct {
	face
	*Host
	name string
}

// Socket makes a socket; see socket.Provider.
func (a *Actor) Socket(domain socket.Domain, typ socket.Type, protocol socket.Protocol) (socket.Socket, error) {
	s, err := a.ready()
	if err != nil {
		return nil, err
	}
	return s.As(a.name).Socket(domain, typ, protocol)
}

// Sockets returns the table of the host's sockets; none while it is down.
func (h *Host) Sockets() []berth.SocketInfo {
	if s := h.Stack(); s != nil {
		return s.Sockets()
	}
	return nil
}
