package neighbor

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

// host gives the n-th address of 2001:db8::/64.
func host(n uint32) netip.Addr {
	a := netip.MustParseAddr("2001:db8::").As16()
	binary.BigEndian.PutUint32(a[12:], n)
	return netip.AddrFrom16(a)
}

// RFC 6583: a scan of 2^20 addresses of the link in ten seconds. The neighbors
// there are stay, memory is bounded, and so is what the link sees.
//
// DEF-44.
func TestScanOfThePrefix(t *testing.T) {
	const (
		size      = 1 << 20
		scan      = 10 * time.Second
		neighbors = 400
		packet    = 1400
	)
	w := newWorld(t, Config{})
	for i := range uint32(neighbors) {
		w.pend(host(i), "p")
		w.answer(host(i), mac1)
	}
	w.advance(time.Minute) // all are STALE, and the limiter is full again
	used := host(0)
	w.Resolve(w.now, used)
	w.answer(used, mac1)
	w.buf = w.Take(w.buf[:0])
	before, mostPending, asked := w.Stats(), 0, 0
	for i := range uint32(size) {
		w.advance(scan / size)
		w.Pend(w.now, host(1000+i), self, "s", packet)
		mostPending = max(mostPending, w.PendingBytes())
		w.buf = w.Take(w.buf[:0])
		for _, a := range w.buf {
			if a.Op == Solicit && !a.Unicast {
				asked++
			}
		}
		if i%5000 == 0 { // the one that is in use is confirmed by its traffic
			w.Resolve(w.now, used)
			w.Confirm(w.now, used)
		}
	}
	if got := w.State(w.now, used); got != Reachable {
		t.Errorf("the neighbor in use is %v", got)
	}
	for i := range uint32(neighbors) {
		if got := w.State(w.now, host(i)); got != Stale && got != Reachable {
			t.Fatalf("neighbor %d is %v", i, got)
		}
	}
	if w.Len() > 1024 || len(w.deadlines) > 1024 || w.resolving.Count() > 512 {
		t.Errorf("%d entries, %d deadlines, %d INCOMPLETE", w.Len(), len(w.deadlines), w.resolving.Count())
	}
	if mostPending > 1<<20 {
		t.Errorf("%d bytes waited", mostPending)
	}
	if most := 256 + 256*10; asked > most || asked < 256 {
		t.Errorf("asked %d times in 10 s, want at most %d", asked, most)
	}
	s := w.Stats()
	t.Logf("%d entries, %d bytes waiting, asked %d times, evicted %d, deferred %d",
		w.Len(), mostPending, asked, s.Evicted-before.Evicted, s.Deferred-before.Deferred)

	// A neighbor that is there is still found: it takes its turn, behind the 512
	// that wait for theirs.
	w.pend(host(999), "p")
	found := func() bool {
		w.buf = w.Take(w.buf[:0])
		return slices.ContainsFunc(w.buf, func(a Action[string]) bool { return a.Op == Solicit && a.Addr == host(999) })
	}
	began := w.now
	for !found() {
		if w.advance(10 * time.Millisecond); w.now-began > 3*second {
			t.Fatal("not asked for within 3 s")
		}
	}
	w.answer(host(999), mac2)
	w.want("answer", "send:2:p")
}

// Neighbors that only claim to be there, in solicitations with forged sources.
//
// DEF-44.
func TestForgedNeighborsReplaceEachOther(t *testing.T) {
	w := newWorld(t, Config{MaxEntries: 64})
	for i := range uint32(32) {
		w.pend(host(i), "p")
		w.answer(host(i), mac1)
	}
	w.advance(time.Hour) // all STALE
	for i := range uint32(1 << 16) {
		w.Learn(w.now, host(1000+i), mac2)
	}
	for i := range uint32(32) {
		w.wantState("a neighbor that was used", host(i), Stale)
	}
	if w.Len() != 64 {
		t.Errorf("%d entries", w.Len())
	}
}

func TestRoomIsMadeInOrder(t *testing.T) {
	w := newWorld(t, Config{MaxEntries: 4, MaxIncomplete: 4})
	add := func(i uint32, s State) { w.enterState(s, host(i)) }
	add(2, Stale)
	add(1, Failed)
	w.Learn(w.now, host(3), mac1) // never used
	w.pend(host(4), "i")          // INCOMPLETE
	w.buf = w.Take(w.buf[:0])
	for step, gone := range []uint32{1, 3, 4} {
		w.Learn(w.now, host(uint32(10+step)), mac1)
		w.Resolve(w.now, host(uint32(10+step)))
		w.wantState("dropped", host(gone), None)
	}
	w.want("the packet that waited", "free:i")
	// Three are in DELAY now; the one that is STALE goes last.
	w.wantState("used long ago", host(2), Stale)
	w.pend(host(20), "p")
	w.wantState("dropped", host(2), None)
	w.want("another neighbor", "ask")
	w.answer(host(20), mac1)
	w.want("answer", "send:1:p")
	// All are in use.
	w.pend(host(21), "q")
	w.want("no room", "free:q")
	w.Learn(w.now, host(22), mac1)
	w.Advert(w.now, &header.NeighborAdvert{Target: host(22), TargetHW: mac1, HasTargetHW: true})
	if err := w.Set(w.now, host(23), mac1); err == nil {
		t.Error("a permanent entry found room")
	}
	if s := w.Stats(); s.Refused != 3 || s.Evicted != 4 || w.Len() != 4 {
		t.Errorf("refused %d, evicted %d, %d entries", s.Refused, s.Evicted, w.Len())
	}
}

func TestPermanentEntriesMayFillTheTable(t *testing.T) {
	w := newWorld(t, Config{MaxEntries: 2})
	w.enterState(Permanent, host(1))
	w.enterState(Permanent, host(2))
	w.pend(host(3), "p")
	w.want("no room", "free:p")
}

func TestManyNeighborsAreFoundInTurn(t *testing.T) {
	w := newWorld(t, Config{SolicitRate: 10, SolicitBurst: 2})
	for i := range uint32(5) {
		w.pend(host(i), "p")
	}
	w.want("a burst of two", "ask", "ask")
	for range 3 {
		w.advance(100 * time.Millisecond)
		w.want("then one each 100 ms", "ask")
	}
	w.advance(100 * time.Millisecond)
	w.want("all are asked for")
	if w.deferred != 0 || w.Stats().Deferred != 3 {
		t.Errorf("%d deferred, %d in all", w.deferred, w.Stats().Deferred)
	}
	w.Flush(false)
	if w.Deadline() != 0 || w.Len() != 0 {
		t.Errorf("deadline %v, %d entries after flushing", w.Deadline(), w.Len())
	}
}
