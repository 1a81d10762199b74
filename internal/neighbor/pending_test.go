package neighbor

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

func TestPacketsWaitInOrder(t *testing.T) {
	w := newWorld(t, Config{})
	for _, p := range []string{"a", "b", "c"} {
		w.pend(peer, p)
	}
	w.want("three packets", "ask")
	w.answer(peer, mac1)
	w.want("answer", "send:1:a", "send:1:b", "send:1:c")
	w.pend(peer, "d")
	w.want("packet for a known neighbor", "send:1:d")
	if w.PendingBytes() != 0 {
		t.Errorf("%d bytes still wait", w.PendingBytes())
	}
}

func TestPacketsAreReportedWhenNobodyAnswers(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(peer, "a")
	w.advance(2 * second)
	w.pend(peer, "b")
	w.want("asked three times", "ask", "ask", "ask")
	w.advance(second)
	w.want("no answer", "report:a", "report:b", "lost")
}

func TestSolicitationNamesTheSource(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(peer, "a")
	if a := w.Take(nil); len(a) != 1 || a[0].Source != self || a[0].Addr != peer {
		t.Errorf("%+v", a)
	}
}

func TestQueueOfANeighborIsBounded(t *testing.T) {
	w := newWorld(t, Config{MaxPending: 3})
	for i := range 5 {
		w.pend(peer, strconv.Itoa(i))
	}
	w.want("five packets, room for three", "ask", "free:0", "free:1")
	w.answer(peer, mac1)
	w.want("the newest are sent", "send:1:2", "send:1:3", "send:1:4")

	w = newWorld(t, Config{MaxPendingBytes: 10})
	w.pend(peer, "aaaa")
	w.pend(peer, "bbbb")
	w.pend(peer, "cccc")
	w.want("twelve bytes, room for ten", "ask", "free:aaaa")
	w.pend(peer, strings.Repeat("d", 100))
	w.want("one may always wait", "free:bbbb", "free:cccc")
	if w.PendingBytes() != 100 || w.Stats().PendingDropped != 3 {
		t.Errorf("%d bytes wait, %d dropped", w.PendingBytes(), w.Stats().PendingDropped)
	}
}

// DEF-44.
func TestQueuesTogetherAreBounded(t *testing.T) {
	w := newWorld(t, Config{MaxTotalBytes: 10})
	other := netip.MustParseAddr("fe80::3")
	w.pend(peer, "aaaaaaaa")
	w.pend(other, "bbbb")
	w.want("asked for both, and no room for the second packet", "ask", "free:bbbb", "ask")
	w.pend(other, "cc")
	w.want("a small one fits")
	w.answer(other, mac2)
	w.want("sent", "send:2:cc")
}
