package nat

import (
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

// A timer is what a session waits for. All sessions of one kind wait equally
// long, so that a list in the order of their last use is in the order in which
// they end.
type timer uint8

const (
	udpTimer timer = iota
	icmpTimer
	transitoryTimer
	establishedTimer
	timers
)

// A session is a remote that a mapping lets in, or a connection of TCP.
type session struct {
	mapping *mapping
	// remote is whom it lets in: of TCP an endpoint, of others masked by
	// Config.Filtering; 0 is anybody.
	remote endpoint
	last   time.Duration // when it was refreshed
	timer  timer
	tcp    tcpState
	byAge  list.Node // in Table.ages
	ofMap  list.Node // in a list of the mapping
}

// admits returns the remote of the session that lets a remote in. Connections
// of TCP are told apart whatever the filter, since each has its own state.
func (t *Table) admits(remote endpoint) endpoint {
	if remote.protocol() == header.ProtocolTCP {
		return remote
	}
	return remote.mask(t.cfg.Filtering)
}

// passes tells whether a mapping lets a remote in (RFC 4787 5).
func (t *Table) passes(m *mapping, remote endpoint) bool {
	if m.static || t.cfg.Filtering == EndpointIndependent {
		return true
	}
	if remote.protocol() == header.ProtocolTCP && t.cfg.Filtering == AddressDependent {
		return t.peers[pair{m.outside, remote.with(0)}] > 0
	}
	return t.sessions[pair{m.outside, t.admits(remote)}] != nil
}

// trackOut notes a packet from inside to a remote: it opens the way back. The
// reason is None if it may pass.
func (t *Table) trackOut(now time.Duration, m *mapping, remote endpoint, p *packet) Reason {
	if m.static {
		return None
	}
	s := t.sessions[pair{m.outside, t.admits(remote)}]
	if s == nil {
		if !p.opens() {
			return None
		}
		var r Reason
		if s, r = t.newSession(m, remote); r != None {
			return r
		}
		s.tcp = tcpBegin(p.flags, outward)
	}
	t.refresh(now, s, p, outward)
	return None
}

// trackIn notes a packet from a remote, if the mapping lets it in. Of what
// nothing is known, only a SYN begins a session; the rest may pass without.
func (t *Table) trackIn(now time.Duration, m *mapping, remote endpoint, p *packet) Reason {
	if m.static {
		return None
	}
	s := t.sessions[pair{m.outside, t.admits(remote)}]
	isTCP := p.protocol == header.ProtocolTCP
	if s == nil {
		if !t.passes(m, remote) {
			return Filtered
		}
		if !isTCP || p.flags&(header.SYN|header.ACK|header.RST) != header.SYN {
			return None
		}
		var r Reason
		if s, r = t.newSession(m, remote); r != None {
			return r
		}
		s.tcp = tcpBegin(p.flags, inward)
	}
	if isTCP || t.cfg.InboundRefresh {
		t.refresh(now, s, p, inward)
	}
	return None
}

// refresh starts the timer of a session anew.
func (t *Table) refresh(now time.Duration, s *session, p *packet, d direction) {
	s.last = now
	switch p.protocol {
	case header.ProtocolTCP:
		s.tcp = s.tcp.next(p.flags, d)
		s.timer = transitoryTimer
		if s.tcp.established() {
			s.timer = establishedTimer
		}
	case header.ProtocolICMP:
		s.timer = icmpTimer
	default:
		s.timer = udpTimer
	}
	m := s.mapping
	t.ages[s.timer].Put(&s.byAge, s)
	if s.timer == establishedTimer {
		m.established.Put(&s.ofMap, s)
	} else {
		m.transient.Put(&s.ofMap, s)
	}
	t.age(m)
}

// age puts a mapping that was used at the end of those that may be evicted; with
// an established connection it is not among them.
func (t *Table) age(m *mapping) {
	if m.established.Count() > 0 {
		m.idle.Leave()
	} else {
		t.idle.Put(&m.idle, m)
	}
}

// newSession makes a session, and room for it.
func (t *Table) newSession(m *mapping, remote endpoint) (*session, Reason) {
	l := &t.cfg.Limits
	if m.transient.Count()+m.established.Count() >= l.PerMapping && !t.evictSession(m, m.transient.Oldest()) {
		return nil, SessionLimit
	}
	if len(t.sessions) >= l.Sessions && !t.evictSession(m, t.idlest()) {
		return nil, SessionLimit
	}
	s := &session{mapping: m, remote: t.admits(remote)}
	t.sessions[pair{m.outside, s.remote}] = s
	if t.countsPeers(s) {
		t.peers[pair{m.outside, s.remote.with(0)}]++
	}
	t.counters.SessionsCreated++
	return s, None
}

// idlest returns the session that was idle longest and is no established
// connection, or nil.
func (t *Table) idlest() *session {
	var found *session
	for k := range establishedTimer {
		if s := t.ages[k].Oldest(); s != nil && (found == nil || s.last < found.last) {
			found = s
		}
	}
	return found
}

// evictSession ends a session to make room for one of a mapping, which stays
// even if it was its last. It gives false if there is none to end.
func (t *Table) evictSession(m *mapping, s *session) bool {
	if s == nil {
		return false
	}
	t.counters.SessionsEvicted++
	t.unlink(s)
	if s.mapping != m && s.mapping.empty() {
		t.remove(s.mapping)
	}
	return true
}

// end ends a session, and its mapping with the last.
func (t *Table) end(s *session) {
	t.unlink(s)
	if s.mapping.empty() {
		t.remove(s.mapping)
	} else if !t.idle.Has(&s.mapping.idle) {
		t.age(s.mapping)
	}
}

func (t *Table) unlink(s *session) {
	delete(t.sessions, pair{s.mapping.outside, s.remote})
	if t.countsPeers(s) {
		k := pair{s.mapping.outside, s.remote.with(0)}
		if t.peers[k]--; t.peers[k] == 0 {
			delete(t.peers, k)
		}
	}
	s.byAge.Leave()
	s.ofMap.Leave()
}

// countsPeers tells whether a session is counted in Table.peers.
func (t *Table) countsPeers(s *session) bool {
	return t.cfg.Filtering == AddressDependent && s.remote.protocol() == header.ProtocolTCP
}
