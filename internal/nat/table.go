package nat

import (
	"net/netip"
	"slices"
	"time"

	"example.com/berth/internal/list"
)

// A Table is a translator with its mappings. Make one with [New]. It is for one
// caller at a time.
type Table struct {
	cfg      Config
	external []uint32
	// byOutside has all mappings by their outside endpoint, byInside by their
	// inside one and what of the remote they are for.
	byOutside map[endpoint]*mapping
	byInside  map[pair]*mapping
	// sessions are known by the outside endpoint of their mapping and the remote
	// that they let in; peers counts those of TCP by the remote's address, where
	// that is what is filtered by.
	sessions map[pair]*session
	peers    map[pair]int
	// hosts counts the mappings of an inside address.
	hosts map[uint32]int
	ports map[endpoint]*portSet // by protocol and outside address
	// ages has the sessions by what they wait for, the one idle longest first.
	ages [timers]list.List[*session]
	// idle has the mappings that may be evicted, the one idle longest first.
	idle      list.List[*mapping]
	fragments fragments
	counters  Counters
}

// New returns an empty table. It gives EINVAL for a configuration that makes no
// sense: no outside address, one that is not IPv4 or no host's, an empty range
// of ports or one from 0, a negative time or limit.
func New(cfg Config) (*Table, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	t := &Table{
		cfg:       cfg,
		byOutside: make(map[endpoint]*mapping),
		byInside:  make(map[pair]*mapping),
		sessions:  make(map[pair]*session),
		peers:     make(map[pair]int),
		hosts:     make(map[uint32]int),
		ports:     make(map[endpoint]*portSet),
		fragments: fragments{known: make(map[fragmentKey]*fragment)},
	}
	for _, a := range cfg.External {
		t.external = append(t.external, word(a))
	}
	return t, nil
}

// External returns the outside address of an inside one; the zero Addr if that
// is not IPv4.
func (t *Table) External(inside netip.Addr) netip.Addr {
	if !inside.Is4() {
		return netip.Addr{}
	}
	return dotted(t.paired(word(inside)))
}

// paired chooses by the inside address alone: the choice is the same for all
// its mappings at all times (RFC 4787 REQ-2, REQ-11), and neighbors spread
// evenly.
func (t *Table) paired(inside uint32) uint32 {
	return t.external[inside%uint32(len(t.external))]
}

func (t *Table) own(addr uint32) bool { return slices.Contains(t.external, addr) }

// timeout returns how long a session is kept.
func (t *Table) timeout(k timer) time.Duration {
	c := &t.cfg.Timeouts
	return [timers]time.Duration{c.UDP, c.ICMP, c.TCPTransitory, c.TCPEstablished}[k]
}

// Deadline returns when something ends next, 0 for never.
func (t *Table) Deadline() time.Duration {
	next := t.fragments.deadline(t.cfg.Timeouts.Fragment)
	for k := range t.ages {
		if s := t.ages[k].Oldest(); s != nil {
			if at := s.last + t.timeout(timer(k)); next == 0 || at < next {
				next = at
			}
		}
	}
	return next
}

// Expire ends what has timed out. Out and In do so themselves first: a caller
// that has no timer loses nothing but memory.
func (t *Table) Expire(now time.Duration) {
	for k := range t.ages {
		limit := t.timeout(timer(k))
		for s := t.ages[k].Oldest(); s != nil && now-s.last >= limit; s = t.ages[k].Oldest() {
			t.counters.SessionsTimedOut++
			t.end(s)
		}
	}
	t.counters.FragmentsTimedOut += uint64(t.fragments.expire(now - t.cfg.Timeouts.Fragment))
}
