package neighbor

import (
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/list"
)

// FuzzTable plays random events, three bytes each, and looks after each that the
// table is whole: lists, heap, counts and limits agree, every packet is given
// back once, and no deadline is left behind.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 1, 3, 4, 5, 6, 7, 1, 9})
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, events []byte) {
		w := newWorld(t, Config{
			MaxEntries: 8, MaxIncomplete: 4, MaxPending: 3, MaxPendingBytes: 10, MaxTotalBytes: 25,
			SolicitRate: 2, SolicitBurst: 3, LearnUnsolicited: len(events)%2 == 0,
		})
		waiting := 0 // packets in the table
		for ; len(events) >= 3; events = events[3:] {
			addr, hw := host(uint32(events[1]%16)), header.MAC{2, 0, 0, 0, 0, events[2] % 4}
			flags := events[2]
			switch events[0] % 12 {
			case 0, 1, 2:
				if _, ok := w.Resolve(w.now, addr); !ok {
					w.Pend(w.now, addr, self, "p", int(flags%16))
					waiting++
				}
			case 3:
				w.Confirm(w.now, addr)
			case 4:
				w.Learn(w.now, addr, hw)
			case 5, 6:
				w.Advert(w.now, &header.NeighborAdvert{
					Target: addr, Router: flags&4 != 0, Solicited: flags&8 != 0, Override: flags&16 != 0,
					TargetHW: hw, HasTargetHW: flags&32 != 0,
				})
			case 7:
				w.Router(addr)
				w.SetTimers(time.Duration(flags)*second, time.Duration(flags)*100*time.Millisecond)
			case 8:
				w.advance(time.Duration(flags) * 100 * time.Millisecond)
			case 9:
				w.now += time.Duration(flags) * second
				w.Timer(w.now)
			case 10:
				w.Remove(addr)
			case 11:
				if flags < 8 {
					w.Flush(flags < 2)
				} else if flags < 64 {
					_ = w.Set(w.now, addr, hw)
				}
			}
			for _, a := range w.Take(nil) {
				switch a.Op {
				case Send:
					if a.MAC.IsZero() || a.MAC.IsMulticast() {
						t.Fatalf("sent to %v", a.MAC)
					}
					waiting--
				case Report, Free:
					waiting--
				}
			}
			w.check(waiting)
		}
	})
}

func (w *world) check(waiting int) {
	t := w.t
	inLists, packets, bytes, timed, deferred := 0, 0, 0, 0, 0
	for _, l := range []*list.List[*entry[string]]{&w.resolving, &w.failed, &w.learned, &w.known} {
		n := 0
		for e := range l.All {
			n++
			if !l.Has(&e.place) || w.entries[e.addr] != e {
				t.Fatal("a list is broken")
			}
		}
		if n != l.Count() {
			t.Fatalf("%d in a list, counted %d", n, l.Count())
		}
		inLists += n
	}
	for _, e := range w.entries {
		if e.state == Permanent {
			inLists++
		}
		if (e.state == Incomplete) != w.resolving.Has(&e.place) || (e.state == Failed) != w.failed.Has(&e.place) {
			t.Fatalf("%v is in the wrong list", e.state)
		}
		if e.state == Incomplete && e.deadline == 0 {
			t.Fatal("INCOMPLETE for ever")
		}
		if len(e.pending) > 0 && e.state != Incomplete {
			t.Fatalf("packets wait in %v", e.state)
		}
		if e.deadline != 0 {
			timed++
			if w.deadlines[e.index] != e || w.deadlines[(e.index-1)/2].deadline > e.deadline {
				t.Fatal("the heap is broken")
			}
		}
		if e.deferred {
			deferred++
		}
		packets += len(e.pending)
		bytes += e.pendingBytes
	}
	switch {
	case inLists != len(w.entries), timed != len(w.deadlines), deferred != w.deferred:
		t.Fatalf("%d of %d listed, %d of %d timed, %d of %d deferred",
			inLists, len(w.entries), timed, len(w.deadlines), deferred, w.deferred)
	case packets != waiting, bytes != w.pendingBytes, bytes > 25:
		t.Fatalf("%d packets wait, want %d; %d bytes, counted %d", packets, waiting, bytes, w.pendingBytes)
	case len(w.entries) > 8, w.resolving.Count() > 4:
		t.Fatalf("%d entries, %d INCOMPLETE", len(w.entries), w.resolving.Count())
	}
}
