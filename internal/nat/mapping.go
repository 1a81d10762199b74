package nat

import (
	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

// A pair of endpoints is a key: see the fields of [Table].
type pair [2]endpoint

// A mapping joins an endpoint inside to one outside.
type mapping struct {
	inside, outside endpoint
	// remote is what the mapping depends on of the remote, masked by
	// Config.Mapping; 0 is any.
	remote endpoint
	// static: configured. It lets in everybody, has no sessions, and does not
	// end.
	static bool
	// transient and established are the sessions, the one idle longest first.
	transient, established list.List[*session]
	idle                   list.Node
	out, in                Traffic
}

// Traffic counts what went one way through a mapping.
type Traffic struct{ Packets, Bytes uint64 }

func (c *Traffic) add(p *packet) {
	c.Packets++
	c.Bytes += uint64(len(p.b))
}

func (m *mapping) empty() bool { return m.transient.Count()+m.established.Count() == 0 }

// depends returns what of a remote a mapping is for.
func (t *Table) depends(remote endpoint) endpoint {
	if remote.protocol() == header.ProtocolICMP {
		return 0 // RFC 5508 REQ-1a
	}
	return remote.mask(t.cfg.Mapping)
}

// find returns the mapping of an inside endpoint for a remote, or nil. One that
// is configured is for all remotes.
func (t *Table) find(inside, remote endpoint) *mapping {
	if m := t.byInside[pair{inside, 0}]; m != nil {
		return m
	}
	if d := t.depends(remote); d != 0 {
		return t.byInside[pair{inside, d}]
	}
	return nil
}

// newMapping makes a mapping for a remote, with a port that was free.
func (t *Table) newMapping(inside, remote endpoint) (*mapping, Reason) {
	if t.hosts[inside.addr()] >= t.cfg.Limits.PerHost {
		return nil, HostLimit
	}
	if len(t.byOutside) >= t.cfg.Limits.Mappings && !t.evict() {
		return nil, MappingLimit
	}
	outside, ok := t.choose(inside)
	if !ok {
		return nil, PortsExhausted
	}
	m := &mapping{inside: inside, outside: outside, remote: t.depends(remote)}
	t.insert(m)
	return m, None
}

func (t *Table) insert(m *mapping) {
	t.byOutside[m.outside] = m
	t.byInside[pair{m.inside, m.remote}] = m
	t.hosts[m.inside.addr()]++
	t.portsOf(m.outside).set(m.outside.port())
	t.counters.MappingsCreated++
}

// evict ends the mapping that was idle longest and has no established
// connection. It gives false if all have one.
func (t *Table) evict() bool {
	m := t.idle.Oldest()
	if m == nil {
		return false
	}
	t.counters.MappingsEvicted++
	t.remove(m)
	return true
}

// remove ends a mapping with all its sessions.
func (t *Table) remove(m *mapping) {
	for s := range m.transient.All {
		t.unlink(s)
	}
	for s := range m.established.All {
		t.unlink(s)
	}
	m.idle.Leave()
	delete(t.byOutside, m.outside)
	delete(t.byInside, pair{m.inside, m.remote})
	if t.hosts[m.inside.addr()]--; t.hosts[m.inside.addr()] == 0 {
		delete(t.hosts, m.inside.addr())
	}
	t.portsOf(m.outside).clear(m.outside.port())
	t.counters.MappingsEnded++
}
