package neighbor

import (
	"errors"
	"syscall"
	"testing"

	"example.com/berth/internal/header"
)

func TestSetReleasesWhatWaits(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(peer, "p")
	w.enterState(Permanent, peer)
	w.pend(peer4, "q")
	w.want("asked", "ask")
	if err := w.Set(w.now, peer4, mac2); err != nil {
		t.Fatal(err)
	}
	w.want("set by hand", "send:2:q")
	if err := w.Set(w.now, peer4, mac1); err != nil {
		t.Fatal(err)
	}
	if hw, _ := w.Resolve(w.now, peer4); hw != mac1 {
		t.Errorf("not replaced: %v", hw)
	}
}

func TestSetRefusesGroups(t *testing.T) {
	w := newWorld(t, Config{})
	for _, hw := range []header.MAC{{}, {1}, header.Broadcast} {
		if err := w.Set(w.now, peer, hw); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%v: %v", hw, err)
		}
	}
	if err := w.Set(w.now, SolicitedNode(peer), mac1); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("group: %v", err)
	}
}

func TestRemoveAndFlush(t *testing.T) {
	w := newWorld(t, Config{})
	if w.Remove(peer) {
		t.Error("removed what is not there")
	}
	w.pend(peer, "p")
	w.buf = w.Take(w.buf[:0])
	if !w.Remove(peer) {
		t.Error("not removed")
	}
	w.want("removed while it was asked for", "free:p")
	w.enterState(Permanent, peer)
	w.enterState(Reachable, peer4)
	w.Flush(false)
	w.wantState("flushed", peer4, None)
	w.wantState("flushed", peer, Permanent)
	w.Flush(true)
	w.wantState("flushed with the permanent ones", peer, None)
}

func TestEntriesShowsAll(t *testing.T) {
	w := newWorld(t, Config{})
	w.pend(host(2), "p")
	w.pend(host(2), "q")
	w.enterState(Reachable, host(1))
	w.Router(host(1))
	used := w.now
	w.advance(2 * second)
	got := w.Entries(w.now, nil)
	want := []Entry{
		{Addr: host(1), MAC: mac1, State: Reachable, Router: true, Used: used},
		{Addr: host(2), State: Incomplete, Used: used, Pending: 2},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
}
