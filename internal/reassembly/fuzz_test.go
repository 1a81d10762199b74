package reassembly

import (
	"testing"
	"time"
)

// FuzzTable feeds a table a script of fragments. Whatever comes, the limits
// hold, the books are right, and a whole packet has each byte from a fragment
// that said so.
//
// DEF-12, DEF-14.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 1, 8, 0, 1, 0, 8})                // two in order
	f.Add([]byte{0, 1, 0, 8, 0, 0, 1, 8, 1, 0, 1, 8})    // backwards, and another packet
	f.Add([]byte{0, 0, 1, 16, 0, 1, 0, 3, 0, 0, 1, 16})  // overlap
	f.Add([]byte{2, 0, 1, 16, 3, 2, 0, 3, 2, 2, 0, 16})  // IPv6
	f.Add([]byte{0, 0, 0, 3, 2, 0, 0, 3, 0, 255, 1, 64}) // atomic
	f.Add([]byte{4, 0, 1, 8, 5, 0, 1, 8, 254, 0, 0, 0})  // time passes
	f.Fuzz(func(t *testing.T, script []byte) {
		limits := Limits{Bytes: 16 << 10, SourceBytes: 8 << 10, Fragments: 8}
		table := New(limits)
		now := start
		for ; len(script) >= 4; script = script[4:] {
			which, at, more, size := script[0], int(script[1])*8, script[2]&1 != 0, int(script[3])
			if which > 250 {
				now += time.Duration(at) * time.Second
				table.Expire(now)
				continue
			}
			// Each byte of the payload names its place, so that one in the wrong
			// place shows.
			data := make([]byte, size)
			for i := range data {
				data[i] = byte((at + i) * 7)
			}
			v := 4
			if which&2 != 0 {
				v = 6
			}
			key, frag := version(v, at, more, string(data))
			key.ID = uint32(which & 1)
			if p, _ := table.Input(now, key, frag); p.Done() {
				for i, x := range []byte(payload(t, p)) {
					if x != byte(i*7) {
						t.Fatalf("byte %d is %d", i, x)
					}
				}
			}
			audit(t, table, limits)
		}
		if table.Expire(now + time.Hour); table.Len() != 0 || table.Bytes() != 0 || len(table.sources) != 0 {
			t.Fatalf("%d packets, %d bytes after all is over", table.Len(), table.Bytes())
		}
	})
}

// audit counts again what the table keeps books of.
func audit(t *testing.T, table *Table, limits Limits) {
	t.Helper()
	bytes := 0
	for key, p := range table.packets {
		cost := packetOverhead + len(p.header)
		for i := range p.pieces {
			cost += p.pieces[i].size()
			if i > 0 && p.pieces[i].begin < p.pieces[i-1].end {
				t.Fatalf("%+v: pieces overlap", key)
			}
		}
		if cost != p.charged || len(p.pieces) > limits.Fragments {
			t.Fatalf("%+v: %d pieces, %d bytes, %d in the books", key, len(p.pieces), cost, p.charged)
		}
		bytes += cost
	}
	if bytes != table.Bytes() || bytes > limits.Bytes {
		t.Fatalf("%d bytes, %d in the books", bytes, table.Bytes())
	}
	for addr, s := range table.sources {
		if s.bytes > limits.SourceBytes || s.ages.first == nil {
			t.Fatalf("%v holds %d bytes", addr, s.bytes)
		}
	}
	if (table.Deadline() == 0) != (table.Len() == 0) {
		t.Fatalf("%d packets, deadline %v", table.Len(), table.Deadline())
	}
}
