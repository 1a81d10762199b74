package report

import (
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
)

func analysed(b *builder) *analysis { return analyse(&b.Recording) }

func TestNumbersAreRelativeAndWrap(t *testing.T) {
	a := analysed(conversation())
	for i, want := range []struct{ seq, end, ack int64 }{
		{0, 1, 0}, {0, 1, 1}, {1, 1, 1}, {1, 19, 1}, {19, 23, 1}, {1, 1, 1}, {1, 1, 1}, {1, 19, 1}, {1, 2, 23}, {23, 23, 0},
	} {
		if p := a.at[i]; p.seq != want.seq || p.end != want.end || p.ack != want.ack {
			t.Errorf("packet %d: seq %d end %d ack %d, want %+v", i, p.seq, p.end, p.ack, want)
		}
	}
	if got := a.at[5].sack; len(got) != 1 || got[0] != [2]int64{19, 23} {
		t.Errorf("SACK %v", got)
	}
	if got := a.at[2].window; got != 1000<<7 {
		t.Errorf("window %d, not scaled", got)
	}
	if got := a.at[1].window; got != 1000 {
		t.Errorf("window %d of a SYN, scaled", got)
	}
}

func TestMarks(t *testing.T) {
	b := conversation()
	a := analysed(b)
	const there, back = markFromA | markOrigin | markFinal, markBack | markOrigin | markFinal
	for i, want := range []marks{
		there, back, there, there | markDropped, there | markDuplicated, back, back | markCorrupted | markDupACK, there | markResent, back, there,
	} {
		if got := a.at[i].marks; got != want {
			t.Errorf("packet %d (%s): marks %b, want %b", i, a.label[i], got, want)
		}
	}
	f := a.flows.all[0]
	if f.packets != [2]int{6, 4} || f.lost != [2]int{1, 0} || f.resent != [2]int{1, 0} {
		t.Errorf("flow counts %v packets, %v lost, %v resent", f.packets, f.lost, f.resent)
	}
}

func TestKeepAliveAndZeroWindowAreNotRetransmissions(t *testing.T) {
	b := pairOf()
	b.there(segmentOf(header.SYN, 100, 0), "", "")
	b.back(segmentOf(header.SYN|header.ACK, 500, 101), "", "")
	b.there(segmentOf(header.ACK, 101, 501), "hello", "")
	b.back(segmentOf(header.ACK, 501, 106), "", "")
	b.there(segmentOf(header.ACK, 105, 501), "", "")
	closed := segmentOf(header.ACK, 501, 106)
	closed.Window = 0
	b.back(closed, "", "")
	a := analysed(b)
	if m := a.at[4].marks; m&markKeepAlive == 0 || m&markResent != 0 {
		t.Errorf("a keep-alive has marks %b", m)
	}
	if m := a.at[5].marks; m&markZero == 0 || m&markDupACK != 0 {
		t.Errorf("a closed window has marks %b", m)
	}
}

func TestOvertaken(t *testing.T) {
	b := pairOf()
	for range 3 {
		b.there(segmentOf(header.ACK, 1, 1), "x", "")
	}
	b.Packets[0].Arrived = b.Packets[2].Arrived + ms
	a := analysed(b)
	for i, want := range []bool{true, false, false} {
		if got := a.at[i].marks&markOvertaken != 0; got != want {
			t.Errorf("packet %d overtaken: %v", i, got)
		}
	}
}

// A segment is sent once, also if it crosses several links, and lost where it is
// lost.
func TestASegmentOnSeveralHops(t *testing.T) {
	b := chain(Node{"alice", Host, []string{"10.0.0.1/24"}}, Node{"r", Router, []string{"10.0.0.254/24", "10.0.1.1/24"}}, Node{"bob", Host, []string{"10.0.1.2/24"}})
	data := tcpPacket(alice, bob, segmentOf(header.ACK, 1, 1), "hello")
	b.put(0, true, data, "")
	b.put(1, true, data, "lost")
	b.put(0, true, data, "") // sent again
	b.put(1, true, data, "")
	a := analysed(b)
	for i, want := range []marks{
		markFromA | markOrigin, markFromA | markFinal | markDropped, markFromA | markOrigin | markResent, markFromA | markFinal | markResent,
	} {
		if got := a.at[i].marks; got != want {
			t.Errorf("hop %d: marks %b, want %b", i, got, want)
		}
	}
	if f := a.flows.all[0]; f.packets[0] != 2 || f.lost[0] != 1 || f.resent[0] != 1 {
		t.Errorf("flow counts %+v", f)
	}
}

func TestAFiveTupleUsedAgainIsAnotherFlow(t *testing.T) {
	b := pairOf()
	for _, iss := range []uint32{1000, 1000, 900000} {
		b.there(segmentOf(header.SYN, iss, 0), "", "")
	}
	b.back(segmentOf(header.SYN|header.ACK, 1, 900001), "", "")
	a := analysed(b)
	if len(a.flows.all) != 2 || a.at[1].flow != 0 || a.at[2].flow != 1 || a.at[3].flow != 1 || a.at[1].marks&markResent == 0 {
		t.Errorf("%d flows, packets in %v", len(a.flows.all), a.at)
	}
	if got := a.flows.all[1].name(); got != "TCP 10.0.0.1:1000 → 10.0.1.2:80 (2)" {
		t.Errorf("name %q", got)
	}
	for nxt, want := range map[uint32]way{1001: {0, false}, 900001: {1, false}, 5: {1, false}} {
		if got, ok := a.stream(&Sample{Local: alice, Remote: bob, Nxt: nxt}); !ok || got != want {
			t.Errorf("a sample with %d is of %v, want %v", nxt, got, want)
		}
	}
	mapped := netip.MustParseAddrPort("[::ffff:10.0.1.2]:80")
	if got, ok := a.stream(&Sample{Local: mapped, Remote: alice, Nxt: 2}); !ok || got != (way{1, true}) {
		t.Errorf("a sample of a mapped address is of %v, %v", got, ok)
	}
	if _, ok := a.stream(&Sample{Local: alice, Remote: alice}); ok {
		t.Error("a sample of a connection that sent nothing has a flow")
	}
}

// A link without delay brings a packet at the instant at which it was sent, also
// at the very first one.
func TestArrivalAtOnce(t *testing.T) {
	for _, tt := range []struct {
		p    Packet
		want bool
	}{
		{Packet{}, true},
		{Packet{Dropped: true}, false},
		{Packet{Sent: ms}, false},
		{Packet{Sent: ms, Arrived: ms}, true},
		{Packet{Sent: ms, Arrived: 2 * ms, Dropped: true}, false},
	} {
		if got := tt.p.arrived(); got != tt.want {
			t.Errorf("%+v arrived: %v", tt.p, got)
		}
	}
}

// Behind a NAT a connection has another five-tuple: both flows have a beginning
// and an end, each way.
func TestFlowsOnBothSidesOfANAT(t *testing.T) {
	b := chain(Node{"alice", Host, []string{"10.0.0.1"}}, Node{"nat", NAT, []string{"10.0.0.254", "10.0.1.1"}}, Node{"bob", Host, []string{"10.0.1.2"}})
	outside := netip.MustParseAddrPort("10.0.1.1:7")
	ask, answer := segmentOf(header.ACK, 1, 1), segmentOf(header.ACK, 1, 6)
	b.put(0, true, tcpPacket(alice, bob, ask, "hello"), "")
	b.put(1, true, tcpPacket(outside, bob, ask, "hello"), "")
	b.put(1, false, tcpPacket(bob, outside, answer, "world"), "")
	b.put(0, false, tcpPacket(bob, alice, answer, "world"), "")
	b.put(0, false, tcpPacket(bob, alice, answer, "world"), "")
	a := analysed(b)
	for i, p := range a.at {
		if p.marks&(markOrigin|markFinal) != markOrigin|markFinal {
			t.Errorf("packet %d has marks %b", i, p.marks)
		}
		if got := p.marks&markResent != 0; got != (i == 4) {
			t.Errorf("packet %d was sent before: %v", i, got)
		}
	}
	if len(a.flows.all) != 2 || a.flows.all[0].packets != [2]int{1, 2} || a.flows.all[1].packets != [2]int{1, 1} {
		t.Errorf("%d flows, of %v", len(a.flows.all), a.flows.all[0].packets)
	}
}
