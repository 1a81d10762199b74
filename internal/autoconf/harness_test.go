package autoconf

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var (
	mac    = header.MAC{2, 0, 0, 0, 0, 1}
	eui    = netip.MustParsePrefix("fe80::ff:fe00:1/64") // of mac
	router = netip.MustParseAddr("fe80::99")
	other  = netip.MustParseAddr("fe80::98")
	net1   = netip.MustParsePrefix("2001:db8:1::/64")
	addr1  = netip.MustParsePrefix("2001:db8:1::ff:fe00:1/64") // of net1 and mac
)

const (
	second = time.Second
	hour   = time.Hour
	day    = 24 * time.Hour
)

// world is an interface, the time, and what the interface asked for.
type world struct {
	*Interface
	t   *testing.T
	now time.Duration
}

func newWorld(t *testing.T, cfg Config) *world {
	return &world{Interface: New(cfg), t: t, now: 1000 * hour}
}

// started is a world with the link-local address of mac assigned, and without
// router solicitations, which have tests of their own.
func started(t *testing.T, cfg Config) *world {
	cfg.MAC, cfg.EUI64 = mac, true
	w := newWorld(t, cfg)
	w.Start(w.now)
	w.advance(5 * second)
	w.Take(nil)
	w.rs.next = 0
	if w.State(eui.Addr()) != Preferred {
		t.Fatalf("the link-local address is %v", w.State(eui.Addr()))
	}
	return w
}

// advance lets time pass, with each deadline met on time.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	end := w.now + d
	for next := w.Deadline(); next != 0 && next <= end; next = w.Deadline() {
		w.now = max(w.now, next)
		w.Timer(w.now)
		if after := w.Deadline(); after != 0 && after <= w.now {
			w.t.Fatalf("deadline %v is not after %v", after, w.now)
		}
	}
	w.now = end
}

func (w *world) advert(ra header.RouterAdvert) { w.RouterAdvert(w.now, router, &ra) }

// want compares the actions since the last call.
func (w *world) want(what string, actions ...string) {
	w.t.Helper()
	check(w.t, what, w.Take(nil), actions)
}

func check(t *testing.T, what string, acts []Action, want []string) {
	t.Helper()
	var got []string
	for _, a := range acts {
		got = append(got, show(a))
	}
	if g, w := strings.Join(got, "; "), strings.Join(want, "; "); g != w {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func show(a Action) string {
	s := a.Op.String()
	switch a.Op {
	case SendNS, SendNA, SendRS, SendProbe, SendAnnouncement, LeaveGroup:
		s += " " + a.Addr.String()
	case JoinGroup:
		s += " " + a.Addr.String()
		if a.Delay != 0 {
			s += fmt.Sprint(" after ", a.Delay)
		}
	case AddAddress, SetAddress:
		s += fmt.Sprint(" ", a.Prefix, " ", a.State)
	case RemoveAddress:
		s += " " + a.Prefix.String()
	case AddRoute, RemoveRoute:
		s += " " + a.Prefix.String()
		if a.Addr.IsValid() {
			s += " via " + a.Addr.String()
		}
		if a.Preference != 0 {
			s += fmt.Sprint(" pref ", a.Preference)
		}
	case SetMTU, SetHopLimit:
		s += fmt.Sprint(" ", a.Value)
	case SetTimers:
		s += fmt.Sprint(" ", a.Reachable, " ", a.Retrans)
	}
	return s
}

func prefixInfo(p netip.Prefix, valid, preferred time.Duration) header.PrefixInfo {
	return header.PrefixInfo{Prefix: p, OnLink: true, Autonomous: true, Valid: valid, Preferred: preferred}
}

func prefixes(p ...header.PrefixInfo) header.RouterAdvert { return header.RouterAdvert{Prefixes: p} }

// counter gives 0, 1, 2, ... as random bits.
func counter() func() uint64 {
	n := uint64(0)
	return func() uint64 { n++; return n - 1 }
}
