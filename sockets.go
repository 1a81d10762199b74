package berth

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// SocketInfo is a row of a host's table of sockets: what ss(8) shows.
type SocketInfo struct {
	Domain   socket.Domain
	Type     socket.Type
	Protocol socket.Protocol
	// State is that of a stream socket; of others TCP_ESTABLISHED if they are
	// connected, TCP_CLOSE if not.
	State         socket.TCPState
	Local, Remote netip.AddrPort
	// RecvQueue and SendQueue are bytes that wait to be received and to be
	// acknowledged; of a listener the connections that wait to be accepted and
	// the backlog.
	RecvQueue, SendQueue int
	// Interface is the name of the one that the socket is bound to, if any.
	Interface string
	// Orphan is set on a connection that the program has closed.
	Orphan bool
	// Timer is the time until the socket's next timer; 0: none runs.
	Timer time.Duration
	// Memory is what the socket's queues hold, in bytes.
	Memory int
	// TCP are the machine's internals; only of a stream socket.
	TCP *socket.TCPInfo
}

// Sockets returns the table of all sockets, those included that live on after
// Close, ordered by protocol and addresses.
func (h *Host) Sockets() []SocketInfo {
	var rows []SocketInfo
	for _, s := range h.endpoints() {
		rows = append(rows, s.describe())
		if l, ok := s.(*stream); ok {
			rows = append(rows, l.describeRequests()...)
		}
	}
	rows = append(rows, h.streams.remnants(h.now())...)
	slices.SortFunc(rows, func(a, b SocketInfo) int {
		return cmp.Or(
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Local.Port(), b.Local.Port()),
			a.Local.Compare(b.Local), a.Remote.Compare(b.Remote), cmp.Compare(a.State, b.State),
		)
	})
	return rows
}

// describe is the part of a row that all types share. The lock is held.
func (s *sock) describe() SocketInfo {
	r := SocketInfo{
		Domain: s.domain, Type: s.typ, Protocol: s.protocol, State: socket.TCP_CLOSE,
		Local: s.show(s.local),
	}
	if s.remote.IsValid() {
		r.Remote = s.show(s.remote)
		r.State = socket.TCP_ESTABLISHED
	}
	if ifc := s.host.interfaceByIndex(s.ip.device); ifc != nil {
		r.Interface = ifc.name
	}
	return r
}

func (s *messageSock) describe() SocketInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sock.describe()
	r.RecvQueue, r.Memory = s.bytes(), s.queue.charge
	return r
}

func (s *stream) describe() SocketInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sock.describe()
	info := s.info()
	r.State, r.TCP, r.Orphan = info.State, &info, s.orphan
	if s.lis != nil {
		r.RecvQueue, r.SendQueue = s.lis.queued, s.lis.backlog
		return r
	}
	r.RecvQueue, r.SendQueue = s.conn.Queues()
	r.Memory = s.conn.Memory()
	if at := s.conn.Deadline(); at != 0 {
		r.Timer = max(at-s.host.now(), 1)
	}
	return r
}

// endpoints are all sockets, those included that live on after Close, in an
// order that is the same in every run as far as their ends tell them apart.
func (h *Host) endpoints() []endpoint {
	type row struct {
		order  Order
		socket endpoint
	}
	var rows []row
	h.sockets.each(func(s endpoint) { rows = append(rows, row{socket: s}) })
	h.streams.each(func(s *stream) { rows = append(rows, row{socket: s}) })
	for i := range rows {
		b := rows[i].socket.base()
		b.mu.Lock()
		rows[i].order = b.order()
		b.mu.Unlock()
	}
	lean.Sort(rows, func(a, b *row) bool { return a.order.Compare(&b.order) < 0 })
	all := make([]endpoint, 0, len(rows))
	seen := make(map[endpoint]bool, len(rows))
	for _, r := range rows {
		if !seen[r.socket] {
			seen[r.socket] = true
			all = append(all, r.socket)
		}
	}
	return all
}
