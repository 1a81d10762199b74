package impair_test

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// flood pushes packets of length bytes, one every gap, until the time is up,
// and drives the line meanwhile. It gives what left, as bytes.
func flood(l *impair.Line, length int, gap, until time.Duration) (left int) {
	batch := make([]*link.Kept, 0, 16)
	frames := []link.Frame{{Payload: make([]byte, length)}}
	for now := time.Duration(0); now < until; now += gap {
		for {
			at, ok := l.Next()
			if !ok || at > now {
				break
			}
			batch = l.Take(at, batch[:0])
			for _, k := range batch {
				left += k.Len()
				k.Release()
			}
		}
		l.Push(now, frames)
	}
	return left
}

// TestTheRateIsExact floods a link for a while with twice its rate.
func TestTheRateIsExact(t *testing.T) {
	trace := parse(t, "1\n1\n3\n7\n12\n")                  // 5 packets in 12 ms: 5 Mbit/s
	wide := parse(t, strings.Repeat("1\n", 5)+"2\n2\n4\n") // 8 in 4 ms: 24 Mbit/s
	for _, tt := range []struct {
		name string
		cfg  impair.Config
		rate float64
	}{
		{"drop-tail", impair.Config{Rate: 5 * mbit}, 5 * mbit},
		{"CoDel", impair.Config{Rate: 5 * mbit, AQM: impair.AQM{CoDel: true}}, 5 * mbit},
		{"marking", impair.Config{Rate: 5 * mbit, AQM: impair.AQM{CoDel: true, ECN: true, MarkAt: 30000}}, 5 * mbit},
		{"trace", impair.Config{Trace: trace}, 5 * mbit},
		{"trace with CoDel", impair.Config{Trace: trace, AQM: impair.AQM{CoDel: true}}, 5 * mbit},
		{"dense trace", impair.Config{Trace: wide}, 24 * mbit},
	} {
		for _, length := range []int{1500, 1000, 267} {
			l := newLine(t, tt.cfg)
			gap := time.Duration(float64(length*8) / (2 * tt.rate) * 1e9)
			got := float64(flood(l, length, gap, 4*time.Second)) * 8 / 4
			if math.Abs(got/tt.rate-1) > 0.01 {
				t.Errorf("%s, packets of %d: %.0f bit/s, want %.0f", tt.name, length, got, tt.rate)
			}
			l.Clear()
		}
	}
}

func TestCoDelKeepsTheQueueShort(t *testing.T) {
	// A tenth too much: drops are few, and the queue would grow without end.
	waited := func(aqm impair.AQM) (most time.Duration, st impair.Stats) {
		l := newLine(t, impair.Config{Rate: 12 * mbit, Queue: 1e9, AQM: aqm}) // 1500 bytes take 1 ms
		flood(l, 1500, ms*10/11, 20*time.Second)
		st = l.Stats()
		l.Clear()
		return time.Duration(st.QueuedBytes/1500) * ms, st
	}
	if left, st := waited(impair.AQM{}); left < time.Second || st.QueueAQM != 0 {
		t.Errorf("drop-tail: %v wait, %+v", left, st)
	}
	if left, st := waited(impair.AQM{CoDel: true}); left > 100*ms || st.QueueAQM < 1000 || st.QueueFull != 0 {
		t.Errorf("CoDel: %v wait, %+v", left, st)
	}
}

func TestQueueManagementSaysWhy(t *testing.T) {
	var events []string
	cfg := impair.Config{Rate: 12 * mbit, AQM: impair.AQM{CoDel: true}, Observe: func(e impair.Event) {
		events = append(events, fmt.Sprintf("%v packet %d %s", e.Now, e.Packet, e.Comment()))
	}}
	l := newLine(t, cfg)
	for range 120 {
		l.Push(0, []link.Frame{{Payload: make([]byte, 1500)}})
	}
	drive(l)
	// The sixth is the first to wait 5 ms; 100 ms later the law begins.
	if want := []string{"105ms packet 105 dropped: AQM: CoDel"}; fmt.Sprint(events) != fmt.Sprint(want) {
		t.Errorf("events %q, want %q", events, want)
	}
}

// ip makes an IPv4 or IPv6 packet with the given ECN field and length.
func ip(version int, ecn uint8, length int) []byte {
	var h []byte
	if version == 4 {
		src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		h = (&header.IPv4{TOS: 0xb8 | ecn, PayloadLen: length - 20, TTL: 64, Protocol: 99, Src: src, Dst: dst}).Append(nil)
	} else {
		src, dst := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
		h = (&header.IPv6{TrafficClass: 0xb8 | ecn, FlowLabel: 0xfffff, PayloadLen: length - 40, NextHeader: 99, HopLimit: 64, Src: src, Dst: dst}).Append(nil)
	}
	return append(h, make([]byte, length-len(h))...)
}

// class reads the traffic class and requires the header to be sound.
func class(t *testing.T, b []byte) uint8 {
	t.Helper()
	if b[0]>>4 == 4 {
		var h header.IPv4
		if _, err := h.Parse(b); err != nil {
			t.Error(err)
		}
		return h.TOS
	}
	var h header.IPv6
	if _, err := h.Parse(b); err != nil || h.FlowLabel != 0xfffff {
		t.Errorf("%+v, %v", h, err)
	}
	return h.TrafficClass
}

func ethernet(etherType uint16, b []byte) []byte {
	return append((&header.Ethernet{Type: etherType}).Append(nil), b...)
}

func TestMarking(t *testing.T) {
	const ect0, ect1, ce = 2, 1, 3
	for _, tt := range []struct {
		name   string
		medium link.Medium
		packet []byte
		head   int // bytes in Frame.Head
		marks  bool
	}{
		{"IPv4 ECT(0)", link.IP, ip(4, ect0, 100), 20, true},
		{"IPv4 ECT(1)", link.IP, ip(4, ect1, 100), 0, true},
		{"IPv4 with a mark", link.IP, ip(4, ce, 100), 28, true},
		{"IPv4 that cannot", link.IP, ip(4, 0, 100), 20, false},
		{"IPv6 ECT(0)", link.IP, ip(6, ect0, 100), 40, true},
		{"IPv6 ECT(1)", link.IP, ip(6, ect1, 100), 0, true},
		{"IPv6 that cannot", link.IP, ip(6, 0, 100), 0, false},
		{"IPv4 in Ethernet", link.Ethernet, ethernet(header.EtherTypeIPv4, ip(4, ect0, 100)), 0, true},
		{"with the headers apart", link.Ethernet, ethernet(header.EtherTypeIPv4, ip(4, ect0, 100)), 14, true},
		{"IPv6 in Ethernet", link.Ethernet, ethernet(header.EtherTypeIPv6, ip(6, ect1, 100)), 54, true},
		{"ARP", link.Ethernet, ethernet(header.EtherTypeARP, ip(4, ect0, 100)), 0, false},
		{"a wrong EtherType", link.Ethernet, ethernet(header.EtherTypeIPv6, ip(4, ect0, 100)), 0, false},
		{"cut short", link.IP, ip(4, ect0, 100)[:19], 0, false},
		{"IPv6 cut short", link.IP, ip(6, ect0, 100)[:39], 0, false},
		{"nothing", link.IP, nil, 0, false},
		{"neither version", link.IP, bytes.Repeat([]byte{0x5f}, 60), 0, false},
	} {
		for name, aqm := range map[string]impair.AQM{"MarkAt": {MarkAt: 1}, "MarkAfter": {MarkAfter: 1}} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				var told []string
				cfg := impair.Config{Rate: 8 * mbit, AQM: aqm, Observe: func(e impair.Event) {
					told = append(told, e.Comment())
				}}
				l, err := impair.NewLine(tt.medium, cfg)
				if err != nil {
					t.Fatal(err)
				}
				b := link.NewBuffer(200)
				defer b.Release()
				f := link.Frame{Head: tt.packet[:tt.head], Buffer: b}
				f.Payload = b.Bytes()[:copy(b.Bytes(), tt.packet[tt.head:])]
				l.Push(0, []link.Frame{{Payload: make([]byte, 200)}, f})
				if got := f.AppendTo(nil); !bytes.Equal(got, tt.packet) {
					t.Error("the lent frame was changed")
				}
				taken(l, 200*time.Microsecond, 1)
				batch := l.Take(time.Second, make([]*link.Kept, 0, 4))
				st := l.Stats()
				if !tt.marks {
					if len(batch) != 0 || st.QueueAQM != 1 || fmt.Sprint(told) != "[dropped: AQM: "+name+"]" {
						t.Fatalf("%d left, told %q, counted %+v", len(batch), told, st)
					}
					return
				}
				if len(batch) != 1 || st.Marked != 1 || st.QueueAQM != 0 || fmt.Sprint(told) != "[marked CE: "+name+"]" {
					t.Fatalf("%d left, told %q, counted %+v", len(batch), told, st)
				}
				got := batch[0].AppendTo(nil)[tt.medium.HeaderLen():]
				if c := class(t, got); c != 0xb8|ce {
					t.Errorf("traffic class %#x", c)
				}
				if batch[0].Comment != "marked CE: "+name {
					t.Errorf("comment %q", batch[0].Comment)
				}
				if got := f.AppendTo(nil); !bytes.Equal(got, tt.packet) {
					t.Error("what others may hold was changed")
				}
				batch[0].Release()
				if b.Shared() {
					t.Error("a buffer was not released")
				}
			})
		}
	}
}

func TestThresholds(t *testing.T) {
	// A packet of 100 bytes takes 100 us. Those that come at one time wait for
	// 0, 100, 200, ... of these.
	for _, tt := range []struct {
		aqm    impair.AQM
		marked int // of 10
	}{
		{impair.AQM{MarkAt: 1000}, 0},
		{impair.AQM{MarkAt: 500}, 4}, // with 600, 700, 800, 900 before them
		{impair.AQM{MarkAfter: 500 * time.Microsecond}, 4},
		{impair.AQM{MarkAt: 1000, MarkAfter: 800 * time.Microsecond}, 1},
	} {
		l := newLine(t, impair.Config{Rate: 8 * mbit, AQM: tt.aqm})
		for range 10 {
			l.Push(0, []link.Frame{{Payload: ip(4, 1, 100)}})
		}
		drive(l)
		if st := l.Stats(); st.Marked != uint64(tt.marked) || st.Passed != 10 {
			t.Errorf("%+v: counted %+v, want %d marks", tt.aqm, st, tt.marked)
		}
	}
}

func TestCoDelMarksWhatItCan(t *testing.T) {
	counted := func(ecn bool, field uint8) impair.Stats {
		l := newLine(t, impair.Config{Rate: 12 * mbit, AQM: impair.AQM{CoDel: true, ECN: ecn}})
		for i := range 2000 {
			l.Push(time.Duration(i)*ms/2, []link.Frame{{Payload: ip(6, field, 1500)}})
		}
		drive(l)
		return l.Stats()
	}
	for _, tt := range []struct {
		ecn          bool
		field        uint8
		drops, marks bool
	}{
		{false, 2, true, false}, {true, 2, false, true}, {true, 0, true, false},
	} {
		st := counted(tt.ecn, tt.field)
		if st.QueueAQM > 0 != tt.drops || st.Marked > 0 != tt.marks {
			t.Errorf("ECN %v, field %d: counted %+v", tt.ecn, tt.field, st)
		}
		if st.Passed+st.QueueAQM+st.QueueFull != 2000 {
			t.Errorf("some are missing: %+v", st)
		}
	}
}
