package berth

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
)

// A tuple is the pair of ends of a connection: with the protocol, whose table
// it is a key of, the five-tuple.
type tuple struct {
	local, remote         [16]byte
	localPort, remotePort uint16
	link                  uint32 // the interface of a link-local peer
}

func (h *Host) tupleOf(local, remote netip.AddrPort) tuple {
	t := tuple{
		local: local.Addr().As16(), remote: remote.Addr().As16(),
		localPort: local.Port(), remotePort: remote.Port(),
	}
	if zone := remote.Addr().Zone(); zone != "" {
		if ifc := h.interfaceByName(zone); ifc != nil {
			t.link = uint32(ifc.index)
		}
	}
	return t
}

// shards is the number of parts of a table that have a lock of their own.
const shards = 64

// A demux finds the socket that a packet is for: the connected one of exactly
// these ends, or the best of those that are bound to the port. Connections are
// spread over shards so that readers of different flows do not meet.
//
// Go's maps hash with a random key, so that nobody outside can aim at one
// bucket.
type demux[S any] struct {
	connected [shards]struct {
		sync.RWMutex // guards m
		m            map[tuple]S
	}
	bound struct {
		sync.RWMutex // guards m and the slices in it, which are replaced, never changed
		m            map[uint16][]boundSock[S]
	}
}

func (t *tuple) shard() int {
	h := uint32(t.localPort)*0x9e3779b1 ^ uint32(t.remotePort)*0x85ebca6b
	h ^= uint32(t.remote[15]) | uint32(t.remote[14])<<8 | uint32(t.remote[7])<<16
	return int(h * 0x9e3779b1 >> 26)
}

// insertTuple enters a connected socket, unless its ends are taken.
func insertTuple[S any](d *demux[S], t tuple, s S) bool {
	sh := &d.connected[t.shard()]
	sh.Lock()
	defer sh.Unlock()
	if _, taken := sh.m[t]; taken {
		return false
	}
	if sh.m == nil {
		sh.m = make(map[tuple]S)
	}
	sh.m[t] = s
	return true
}

// removeTuple takes a connected socket out, if it is the one there.
func removeTuple[S comparable](d *demux[S], t tuple, s S) {
	sh := &d.connected[t.shard()]
	sh.Lock()
	defer sh.Unlock()
	if sh.m[t] == s {
		delete(sh.m, t)
	}
}

// lookup returns the connected socket of these ends.
func (d *demux[S]) lookup(t tuple) (S, bool) {
	sh := &d.connected[t.shard()]
	sh.RLock()
	defer sh.RUnlock()
	s, ok := sh.m[t]
	return s, ok
}

// onPort returns the sockets bound to a port. The slice must not be changed.
func (d *demux[S]) onPort(port uint16) []boundSock[S] {
	d.bound.RLock()
	defer d.bound.RUnlock()
	return d.bound.m[port]
}

// A boundSock is a socket with what it was bound to, as it was then: what a
// packet is matched against without the socket's lock.
type boundSock[S any] struct {
	sock   S
	addr   netip.Addr
	remote netip.AddrPort // of a connected datagram socket: it takes nothing else
	device int            // SO_BINDTODEVICE; 0: any
	only6  bool           // IPV6_V6ONLY
	shared bool           // SO_REUSEPORT
}

// insertBound enters a socket that is bound to a port, or brings up to date
// what it is bound to.
func insertBound[S interface {
	comparable
	endpoint
}](d *demux[S], port uint16, s S) {
	of := s.base()
	b := boundSock[S]{
		sock: s, addr: of.local.Addr(), remote: of.remote, device: of.ip.device, only6: of.ip.v6only,
		shared: of.ip.reusePort,
	}
	d.bound.Lock()
	defer d.bound.Unlock()
	if d.bound.m == nil {
		d.bound.m = make(map[uint16][]boundSock[S])
	}
	list := slices.Clone(d.bound.m[port])
	if i := slices.IndexFunc(list, func(x boundSock[S]) bool { return x.sock == s }); i >= 0 {
		list[i] = b
	} else {
		list = append(list, b)
	}
	d.bound.m[port] = list
}

func removeBound[S comparable](d *demux[S], port uint16, s S) {
	d.bound.Lock()
	defer d.bound.Unlock()
	rest := slices.DeleteFunc(slices.Clone(d.bound.m[port]), func(x boundSock[S]) bool { return x.sock == s })
	if len(rest) == 0 {
		delete(d.bound.m, port)
	} else {
		d.bound.m[port] = rest
	}
}

// match says how well a socket fits a packet between two ends that came in on an
// interface: -1 if not at all. The zero AddrPort as remote end fits any. The more the socket has been told, the better:
// an address beats the wildcard, a device beats none, a socket of the packet's
// own family beats a dual-stack one (Linux's compute_score).
func (b *boundSock[S]) match(local netip.Addr, remote netip.AddrPort, ifindex int) int {
	score := 0
	switch {
	case b.remote.IsValid() && remote.IsValid() && b.remote != remote:
		return -1
	case b.addr == local:
		score += 4
	case !b.addr.IsUnspecified():
		return -1
	case b.addr.Is6() && local.Is4() && b.only6, b.addr.Is4() && local.Is6():
		return -1
	case b.addr.Is4() == local.Is4():
		score++
	}
	if b.device != 0 {
		if b.device != ifindex {
			return -1
		}
		score += 2
	}
	return score
}

// best returns the socket that fits a packet best. Of several that fit equally
// the last one bound has it (SO_REUSEADDR); but if they share the port
// (SO_REUSEPORT) the flow decides, so that one flow stays with one socket.
func best[S any](candidates []boundSock[S], local netip.Addr, remote netip.AddrPort, ifindex int, flow uint64) (found S, ok bool) {
	top, sharers := -1, uint64(0)
	for i := range candidates {
		c := &candidates[i]
		score := c.match(local, remote, ifindex)
		if score < 0 || score < top {
			continue
		}
		if score > top {
			sharers = 0
		}
		top, found = score, c.sock
		if c.shared {
			sharers++
		}
	}
	if sharers < 2 {
		return found, top >= 0
	}
	nth := flow % sharers
	for i := range candidates {
		c := &candidates[i]
		if !c.shared || c.match(local, remote, ifindex) != top {
			continue
		}
		if nth == 0 {
			return c.sock, true
		}
		nth--
	}
	return found, true
}

// streamTable is the demultiplexer of TCP.
type streamTable struct{ demux[*stream] }

func (t *streamTable) insert(k tuple, s *stream) bool { return insertTuple(&t.demux, k, s) }
func (t *streamTable) remove(k tuple, s *stream)      { removeTuple(&t.demux, k, s) }

func (t *streamTable) insertListener(port uint16, s *stream) { insertBound(&t.demux, port, s) }
func (t *streamTable) removeListener(port uint16, s *stream) { removeBound(&t.demux, port, s) }

// listener returns the listening socket that a connection to local is for.
func (t *streamTable) listener(local netip.AddrPort, ifindex int, flow uint64) (*stream, bool) {
	return best(t.onPort(local.Port()), local.Addr(), netip.AddrPort{}, ifindex, flow)
}

// each calls f for every connection.
func (d *demux[S]) each(f func(S)) {
	for i := range d.connected {
		sh := &d.connected[i]
		sh.RLock()
		all := slices.Collect(maps.Values(sh.m))
		sh.RUnlock()
		for _, s := range all {
			f(s)
		}
	}
}
