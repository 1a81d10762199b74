package berth

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"

	"example.com/berth/internal/lean"
)

// A tuple is the pair of ends of a connection: with the protocol, whose table
// it is a key of, the five-tuple.
type tuple struct {
	local, remote         [16]byte
	localPort, remotePort uint16
	link                  uint32 // the interface of a link-local peer
}

// tuple is that of a connected socket. The lock is held, or the socket is in a
// demultiplexer, where its ends do not change.
func (s *sock) tuple() tuple { return s.host.tupleOf(s.local, s.remote) }

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
// Connections are found by a hash of their ends, which takes less memory than
// the ends, under a random key, so that nobody outside can aim at one place.
//
// Sockets are compared by their bases, not as values of S: a constraint that is
// comparable would have all this compiled once for each type of socket.
type demux[S endpoint] struct {
	connected [shards]shard[S]
	bound     portTable[boundSock[S]]
}

var demuxSeed = maphash.MakeSeed()

// A shard is some of the connected sockets.
type shard[S endpoint] struct {
	sync.RWMutex // guards what follows
	byHash       map[uint64]S
	// others are those whose hash another one has, in practice none.
	others   map[tuple]S
	remnants remnants // of TCP
}

// at returns the shard of a tuple, and its hash.
func (d *demux[S]) at(t tuple) (*shard[S], uint64) {
	hash := maphash.Comparable(demuxSeed, t)
	return &d.connected[hash%shards], hash
}

// find returns the socket of a tuple with that hash. The lock is held.
func (sh *shard[S]) find(t tuple, hash uint64) (s S, ok bool) {
	if s, ok = sh.byHash[hash]; !ok || s.base().tuple() != t {
		s, ok = sh.others[t]
	}
	return s, ok
}

// insert enters a connected socket, unless its ends are taken.
func (d *demux[S]) insert(s S) bool {
	t := s.base().tuple()
	sh, hash := d.at(t)
	sh.Lock()
	defer sh.Unlock()
	if _, taken := sh.find(t, hash); taken || sh.remnants.find(t, hash) != nil {
		return false
	}
	sh.put(t, hash, s)
	return true
}

// put enters a socket of a tuple with that hash. The lock is held.
func (sh *shard[S]) put(t tuple, hash uint64, s S) {
	if sh.byHash == nil {
		sh.byHash, sh.others = make(map[uint64]S), make(map[tuple]S)
	}
	if _, taken := sh.byHash[hash]; taken {
		sh.others[t] = s
	} else {
		sh.byHash[hash] = s
	}
}

// remove takes a connected socket out, if it is the one there.
func (d *demux[S]) remove(s S) {
	t := s.base().tuple()
	sh, hash := d.at(t)
	sh.Lock()
	defer sh.Unlock()
	if x, ok := sh.byHash[hash]; ok && x.base() == s.base() {
		delete(sh.byHash, hash)
	} else if x, ok := sh.others[t]; ok && x.base() == s.base() {
		delete(sh.others, t)
	}
}

// lookup returns the connected socket of these ends.
func (d *demux[S]) lookup(t tuple) (S, bool) {
	sh, hash := d.at(t)
	sh.RLock()
	defer sh.RUnlock()
	return sh.find(t, hash)
}

// onPort returns the sockets bound to a port. The slice must not be changed.
func (d *demux[S]) onPort(port uint16) []boundSock[S] { return d.bound.on(port) }

// A boundSock is a socket with what it was bound to, as it was then: what a
// packet is matched against without the socket's lock.
type boundSock[S endpoint] struct {
	_ lean.Incomparable

	sock   S
	addr   netip.Addr
	remote netip.AddrPort // of a connected datagram socket: it takes nothing else
	device int            // SO_BINDTODEVICE; 0: any
	only6  bool           // IPV6_V6ONLY
	shared bool           // SO_REUSEPORT
}

// insertBound enters a socket that is bound to a port, or brings up to date
// what it is bound to.
func insertBound[S endpoint](d *demux[S], port uint16, s S) {
	of := s.base()
	b := boundSock[S]{
		sock: s, addr: of.local.Addr(), remote: of.remote, device: of.ip.device, only6: of.ip.v6only,
		shared: of.ip.reusePort,
	}
	d.bound.change(port, func(list []boundSock[S]) []boundSock[S] {
		if i := slices.IndexFunc(list, func(x boundSock[S]) bool { return x.sock.base() == s.base() }); i >= 0 {
			list[i] = b
			return list
		}
		return append(list, b)
	})
}

func removeBound[S endpoint](d *demux[S], port uint16, s S) {
	d.bound.change(port, func(list []boundSock[S]) []boundSock[S] {
		return lean.Drop(list, func(x *boundSock[S]) bool { return x.sock.base() == s.base() })
	})
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
// (SO_REUSEPORT) a hash of the flow decides, so that one flow stays with one socket.
func best[S endpoint](candidates []boundSock[S], local netip.Addr, remote netip.AddrPort, ifindex int, flow func() uint64) (found S, ok bool) {
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
	nth := flow() % sharers
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

// noFlow is for a packet that names no flow: the first of those that share has it.
func noFlow() uint64 { return 0 }

// streamTable is the demultiplexer of TCP.
type streamTable struct{ demux[*stream] }

func (t *streamTable) init(h *Host) {
	for i := range t.connected {
		sh := &t.connected[i]
		sh.remnants.host, sh.remnants.mu = h, &sh.RWMutex
		sh.remnants.timer.owner = &sh.remnants
	}
}

func (t *streamTable) insertListener(port uint16, s *stream) { insertBound(&t.demux, port, s) }
func (t *streamTable) removeListener(port uint16, s *stream) { removeBound(&t.demux, port, s) }

// listener returns the listening socket that a connection to local is for.
func (t *streamTable) listener(local netip.AddrPort, ifindex int, flow func() uint64) (*stream, bool) {
	return best(t.onPort(local.Port()), local.Addr(), netip.AddrPort{}, ifindex, flow)
}

// each calls f for every connection.
func (d *demux[S]) each(f func(S)) {
	for i := range d.connected {
		sh := &d.connected[i]
		sh.RLock()
		all := make([]S, 0, len(sh.byHash)+len(sh.others))
		for _, s := range sh.byHash {
			all = append(all, s)
		}
		for _, s := range sh.others {
			all = append(all, s)
		}
		sh.RUnlock()
		for _, s := range all {
			f(s)
		}
	}
}
