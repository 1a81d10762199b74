package autoconf

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func (w *world) temporary(s State) (found []*address) {
	for _, a := range w.addresses {
		if a.Origin == Temporary && a.State == s {
			found = append(found, a)
		}
	}
	return found
}

func temporaryWorld(t *testing.T) *world {
	w := started(t, Config{Temporary: true, Rand: rand.New(rand.NewPCG(1, 2)).Uint64})
	w.advert(prefixes(prefixInfo(net1, 30*day, 7*day)))
	w.advance(2 * second)
	return w
}

// RFC 8981 section 3.4.
//
// DEF-37.
func TestTemporaryAddress(t *testing.T) {
	w := temporaryWorld(t)
	all := w.temporary(Preferred)
	if len(all) != 1 {
		t.Fatalf("%d temporary addresses", len(all))
	}
	a := all[0]
	if !net1.Contains(a.Prefix.Addr()) || a.Prefix == addr1 {
		t.Errorf("%v", a.Prefix)
	}
	if got := a.Valid - a.created; got != 2*day {
		t.Errorf("valid for %v, want 48h", got)
	}
	if got := a.Preferred - a.created; got > day || got < day*6/10 {
		t.Errorf("preferred for %v, want 14.4h to 24h", got)
	}
	w.advert(prefixes(prefixInfo(net1, 30*day, 7*day)))
	if got := a.Valid - a.created; got != 2*day || len(w.temporary(Tentative)) != 0 {
		t.Errorf("another advertisement: valid for %v", got)
	}
	w.advert(prefixes(prefixInfo(net1, 30*day, second)))
	if got := a.Preferred - w.now; got != second {
		t.Errorf("deprecated by the router: preferred for %v", got)
	}
	for _, act := range w.Take(nil) {
		if act.Op == AddAddress && act.Temporary != (act.Prefix == a.Prefix) {
			t.Errorf("%+v", act)
		}
	}
}

// RFC 8981 section 3.5: a successor is ready before the address is deprecated,
// and a few are there at a time.
func TestTemporaryAddressesFollowEachOther(t *testing.T) {
	w := temporaryWorld(t)
	seen := map[netip.Addr]bool{}
	for range 20 * 24 {
		w.advance(time.Hour)
		w.advert(prefixes(prefixInfo(net1, 30*day, 7*day)))
		now := w.temporary(Preferred)
		if len(now) == 0 || len(now) > 2 || w.learned() > 5 {
			t.Fatalf("%d preferred, %d in all", len(now), w.learned())
		}
		for _, a := range now {
			seen[a.Prefix.Addr()] = true
		}
	}
	if len(seen) < 20 || len(seen) > 35 {
		t.Errorf("%d addresses in 20 days", len(seen))
	}
}

func TestNoTemporaryAddressForAShortTime(t *testing.T) {
	w := started(t, Config{Temporary: true, Rand: counter()})
	w.advert(prefixes(prefixInfo(net1, hour, 5*second))) // REGEN_ADVANCE: 2 + 3 * 1 * 1 s
	if n := len(w.temporary(Tentative)); n != 0 {
		t.Error("preferred for no longer than REGEN_ADVANCE")
	}
	w.advert(prefixes(prefixInfo(net1, hour, 5*second+1)))
	if n := len(w.temporary(Tentative)); n != 1 {
		t.Error("none")
	}
}

func TestTemporaryDuplicateIsReplaced(t *testing.T) {
	w := started(t, Config{Temporary: true, Rand: counter(), MaxDelay: -1})
	w.advert(prefixes(prefixInfo(net1, day, day)))
	for range 4 {
		tentative := w.temporary(Tentative)
		if len(tentative) != 1 {
			t.Fatalf("%d tentative", len(tentative))
		}
		w.Advertised(w.now, &header.NeighborAdvert{Target: tentative[0].Prefix.Addr()})
	}
	w.advert(prefixes(prefixInfo(net1, day, day)))
	if n := len(w.temporary(Tentative)); n != 0 || len(w.temporary(Duplicate)) != 1 {
		t.Error("tried more than three times again")
	}
}

func TestTemporaryAddressDiesWithItsPrefix(t *testing.T) {
	w := temporaryWorld(t)
	for range 3 * 24 {
		w.advance(time.Hour)
		w.advert(prefixes(prefixInfo(net1, 0, 0)))
	}
	if w.learned() != 0 {
		t.Errorf("%d addresses of a prefix that was withdrawn three days ago", w.learned())
	}
}
