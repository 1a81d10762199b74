package reassembly

import (
	"errors"
	"net/netip"
	"time"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
)

// Why a fragment was refused. IPv6 has two more reasons, which are
// *[header.ParameterProblem] errors to be answered: a length that is not a
// multiple of 8 or makes the packet too long, and a first fragment that lacks
// headers.
var (
	ErrLength  = errors.New("reassembly: bad length of a fragment")
	ErrTooLong = errors.New("reassembly: packet longer than 65535 bytes")
	ErrOverlap = errors.New("reassembly: overlapping fragments")
	ErrTooMany = errors.New("reassembly: too many fragments")
	ErrECN     = errors.New("reassembly: fragments disagree about ECN")
)

// A Key tells which fragments belong together (RFC 791 3.2, RFC 8200 4.5). An
// interface's zone in link-local addresses keeps links apart.
type Key struct {
	Src, Dst netip.Addr
	ID       uint32
	// Protocol is that of the IPv4 header, and 0 in IPv6, where fragments may
	// differ in it.
	Protocol uint8
}

// A Fragment is lent to Input for the length of the call.
type Fragment struct {
	Offset int  // bytes, a multiple of 8
	More   bool // not the last
	// Header is what precedes Data in the fragment's packet: the IPv4 header
	// with options; the IPv6 header with all extension headers up to and
	// including the fragment header.
	Header []byte
	Data   []byte
	// Buffer holds the memory of Data; nil if that is not pooled.
	Buffer *buffer.Buffer
	// NextHeader and NamedAt are Fragment.NextHeader and FragmentNamedAt of
	// [header.Extensions]; only for IPv6.
	NextHeader uint8
	NamedAt    int
}

// A Packet is a reassembled packet. The zero Packet is none.
type Packet struct {
	// Bytes is the packet from its IP header on, without fragment header.
	Bytes []byte
	// Buffer holds Bytes. Whoever called Input releases it.
	Buffer *buffer.Buffer
}

// Done tells whether there is a packet.
func (p Packet) Done() bool { return p.Buffer != nil }

// A Table holds the packets of which fragments are missing.
type Table struct {
	limits  Limits
	packets map[Key]*partial
	sources map[netip.Addr]*source
	ages    [2]list // IPv4 and IPv6, oldest first
	bytes   int
	count   Counters
}

// A source is what one address has in the table.
type source struct {
	bytes int
	ages  list // oldest first
}

// New returns an empty table.
func New(limits Limits) *Table {
	return &Table{
		limits:  limits.withDefaults(),
		packets: make(map[Key]*partial),
		sources: make(map[netip.Addr]*source),
		ages:    [2]list{{kind: byFamily}, {kind: byFamily}},
	}
}

// Counters returns the table's counters.
func (t *Table) Counters() Counters { return t.count }

// Bytes returns how much memory the table holds, bookkeeping included.
func (t *Table) Bytes() int { return t.bytes }

// Len returns how many packets are incomplete.
func (t *Table) Len() int { return len(t.packets) }

// Input takes a fragment, and returns the packet if that is now complete. An
// error says why the fragment, and perhaps its whole packet, was dropped; a
// duplicate is dropped without error.
func (t *Table) Input(now time.Duration, key Key, f *Fragment) (Packet, error) {
	if err := t.check(key, f); err != nil {
		return Packet{}, err
	}
	if f.Offset == 0 && !f.More {
		return t.atomic(key, f), nil
	}
	p := t.packets[key]
	if p == nil {
		p = t.add(now, key)
	}
	if p.abandoned {
		return Packet{}, ErrOverlap
	}
	at, duplicate, err := p.place(f)
	switch {
	case duplicate:
		t.count.Duplicates++
		return Packet{}, nil
	case err != nil:
		t.count.Overlaps++
		t.abandon(p)
		return Packet{}, err
	case len(p.pieces) >= t.limits.Fragments:
		t.count.TooMany++
		t.remove(p)
		return Packet{}, ErrTooMany
	}
	p.insert(at, f)
	t.count.Fragments++
	t.charge(p)
	if !p.complete() {
		t.makeRoom(p)
		return Packet{}, nil
	}
	return t.finish(p)
}

// check refuses what is wrong with a fragment by itself.
func (t *Table) check(key Key, f *Fragment) error {
	v6 := key.Src.Is6()
	switch {
	case f.More && len(f.Data)%8 != 0:
		t.count.BadLength++
		if v6 { // pointing at the payload length
			return &header.ParameterProblem{Code: header.ProblemHeader, Pointer: 4}
		}
		return ErrLength
	case f.Offset+len(f.Data) > room(key, f.Header):
		t.count.TooLong++
		if v6 { // pointing at the fragment offset
			at := len(f.Header) - header.FragmentLen + 2
			return &header.ParameterProblem{Code: header.ProblemHeader, Pointer: uint32(at)}
		}
		return ErrTooLong
	case v6 && f.Offset == 0 && !header.FirstFragmentComplete(f.NextHeader, f.Data):
		t.count.Tiny++
		return &header.ParameterProblem{Code: header.ProblemFirst}
	case len(f.Data) == 0:
		t.count.BadLength++
		return ErrLength
	}
	return nil
}

// room is how long a packet's data may be behind a header: in IPv4 the length
// field counts the header, in IPv6 what follows its first 40 bytes, of which the
// fragment header goes.
func room(key Key, ip []byte) int {
	if key.Src.Is6() {
		return header.MaxPacket - (len(ip) - header.IPv6Len - header.FragmentLen)
	}
	return header.MaxPacket - len(ip)
}

// atomic takes a fragment that is a whole packet apart from all others
// (RFC 6946 4).
func (t *Table) atomic(key Key, f *Fragment) Packet {
	p := partial{key: key, end: len(f.Data)}
	p.setHeader(f)
	p.pieces = append(p.inline[:0], piece{end: len(f.Data), data: f.Data})
	t.count.Fragments++
	t.count.Reassembled++
	return p.join()
}

// finish takes a complete packet out of the table.
func (t *Table) finish(p *partial) (Packet, error) {
	switch {
	case p.tooLong():
		t.count.TooLong++
		t.remove(p)
		return Packet{}, ErrTooLong
	case !p.mergeECN():
		t.count.BadECN++
		t.remove(p)
		return Packet{}, ErrECN
	}
	whole := p.join()
	t.remove(p)
	t.count.Reassembled++
	return whole, nil
}

func (t *Table) add(now time.Duration, key Key) *partial {
	p := &partial{key: key, end: -1, source: t.sources[key.Src]}
	p.pieces = p.inline[:0]
	if p.source == nil {
		p.source = &source{ages: list{kind: bySource}}
		t.sources[key.Src] = p.source
	}
	p.source.ages.push(p)
	p.deadline = now + Timeout4
	if key.Src.Is6() {
		p.deadline = now + Timeout6
	}
	t.family(key).push(p)
	t.packets[key] = p
	return p
}

func (t *Table) family(key Key) *list {
	if key.Src.Is6() {
		return &t.ages[1]
	}
	return &t.ages[0]
}

// charge brings the books up to date with what p holds.
func (t *Table) charge(p *partial) {
	cost := packetOverhead + p.held
	t.bytes += cost - p.charged
	p.source.bytes += cost - p.charged
	p.charged = cost
}

// remove takes p out of the table and lets go of its fragments.
func (t *Table) remove(p *partial) {
	p.release()
	t.bytes -= p.charged
	p.source.bytes -= p.charged
	p.source.ages.remove(p)
	if p.source.ages.first == nil {
		delete(t.sources, p.key.Src)
	}
	t.family(p.key).remove(p)
	delete(t.packets, p.key)
}

// abandon ends a packet whose fragments overlap. In IPv6 those that are still
// to come go the same way (RFC 5722 4): the key stays, without the bytes, until
// its time is over. In IPv4 it does not, where the same 16 bits soon identify
// another packet.
func (t *Table) abandon(p *partial) {
	if p.key.Src.Is4() {
		t.remove(p)
		return
	}
	p.release()
	p.abandoned = true
	t.charge(p)
}

// makeRoom evicts the oldest packets until the limits hold. The packet that
// has just grown is the last to go.
func (t *Table) makeRoom(grown *partial) {
	src := grown.source
	for src.bytes > t.limits.SourceBytes {
		t.count.SourceLimit++
		oldest := src.ages.oldestBut(grown)
		t.remove(oldest)
		if oldest == grown {
			return
		}
	}
	for t.bytes > t.limits.Bytes {
		t.count.Evicted++
		oldest := t.oldestBut(grown)
		t.remove(oldest)
		if oldest == grown {
			return
		}
	}
}

// oldestBut is the packet that came first, of both versions; p only if it is
// alone.
func (t *Table) oldestBut(p *partial) *partial {
	a, b := t.ages[0].oldestBut(p), t.ages[1].oldestBut(p)
	switch {
	case a == nil || a == p && b != nil:
		return b
	case b == nil || b == p:
		return a
	case a.deadline-Timeout4 <= b.deadline-Timeout6:
		return a
	}
	return b
}

// Deadline returns when Expire is due next; 0 if the table is empty.
func (t *Table) Deadline() time.Duration {
	var due time.Duration
	for i := range t.ages {
		if p := t.ages[i].first; p != nil && (due == 0 || p.deadline < due) {
			due = p.deadline
		}
	}
	return due
}

// Expired is a packet whose time is over and whose first fragment is there: the
// sender is to be told with ICMP time exceeded, code 1 (RFC 1122 3.3.2,
// RFC 8200 4.5).
type Expired struct {
	Key Key
	// Packet is the first fragment's packet as it was received, as much of it
	// as an ICMP error may quote.
	Packet []byte
}

// Expire drops the packets whose time is over, and returns those that an error
// is to be sent about.
func (t *Table) Expire(now time.Duration) []Expired {
	var expired []Expired
	for i := range t.ages {
		for {
			p := t.ages[i].first
			if p == nil || p.deadline > now {
				break
			}
			if quote := p.quote(); quote != nil {
				expired = append(expired, Expired{Key: p.key, Packet: quote})
			}
			if !p.abandoned {
				t.count.TimedOut++
			}
			t.remove(p)
		}
	}
	return expired
}

// Clear drops everything.
func (t *Table) Clear() {
	for _, p := range t.packets {
		t.remove(p)
	}
}
