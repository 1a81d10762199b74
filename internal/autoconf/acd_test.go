package autoconf

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

var (
	ip4    = netip.MustParsePrefix("10.0.0.1/24")
	theirs = header.MAC{2, 0, 0, 0, 0, 9}
)

type acdWorld struct {
	*ACD
	t   *testing.T
	now time.Duration
}

func newACD(t *testing.T, cfg ACDConfig) *acdWorld {
	cfg.MAC = mac
	return &acdWorld{ACD: NewACD(cfg), t: t, now: hour}
}

func (w *acdWorld) advance(d time.Duration) {
	end := w.now + d
	for next := w.Deadline(); next != 0 && next <= end; next = w.Deadline() {
		w.now = next
		w.Timer(w.now)
	}
	w.now = end
}

func (w *acdWorld) want(what string, actions ...string) {
	w.t.Helper()
	check(w.t, what, w.Take(nil), actions)
}

// RFC 5227 sections 2.1.1 and 2.3.
func TestACDProbesAndAnnounces(t *testing.T) {
	for _, tt := range []struct {
		bits uint64
		wait time.Duration // before the first probe
		gap  time.Duration // between probes
	}{{0, 0, second}, {uint64(second), second, 2 * second}} {
		w := newACD(t, ACDConfig{Rand: func() uint64 { return tt.bits }})
		if err := w.Add(w.now, ip4); err != nil {
			t.Fatal(err)
		}
		w.advance(tt.wait)
		w.want("first", "AddAddress 10.0.0.1/24 tentative", "SendProbe 10.0.0.1")
		for range 2 {
			w.advance(tt.gap - 1)
			w.want("too early")
			w.advance(1)
			w.want("next", "SendProbe 10.0.0.1")
		}
		w.advance(2 * second)
		w.want("ANNOUNCE_WAIT", "SetAddress 10.0.0.1/24 preferred", "SendAnnouncement 10.0.0.1")
		w.advance(2 * second)
		w.want("ANNOUNCE_INTERVAL", "SendAnnouncement 10.0.0.1")
		if w.Deadline() != 0 || w.State(ip4.Addr()) != Preferred {
			t.Errorf("deadline %v, state %v", w.Deadline(), w.State(ip4.Addr()))
		}
	}
}

func TestACDWithoutProbing(t *testing.T) {
	w := newACD(t, ACDConfig{Probes: -1, Announcements: -1})
	_ = w.Add(w.now, ip4)
	w.want("used at once", "AddAddress 10.0.0.1/24 tentative", "SetAddress 10.0.0.1/24 preferred")
}

func TestACDConflicts(t *testing.T) {
	ours, zero, peer := ip4.Addr(), netip.IPv4Unspecified(), netip.MustParseAddr("10.0.0.2")
	const request, reply = header.ARPRequest, header.ARPReply
	for _, tt := range []struct {
		name          string
		arp           header.ARP
		probing, used bool // a conflict while probing, and later
	}{
		{"reply of the owner", header.ARP{Op: reply, SenderHW: theirs, Sender: ours, Target: zero}, true, true},
		{"request of the owner", header.ARP{Op: request, SenderHW: theirs, Sender: ours, Target: peer}, true, true},
		{"probe of another", header.ARP{Op: request, SenderHW: theirs, Sender: zero, Target: ours}, true, false},
		{"our own probe", header.ARP{Op: request, SenderHW: mac, Sender: zero, Target: ours}, false, false},
		{"request for us", header.ARP{Op: request, SenderHW: theirs, Sender: peer, Target: ours}, false, false},
		{"between others", header.ARP{Op: reply, SenderHW: theirs, Sender: peer, Target: peer}, false, false},
	} {
		w := newACD(t, ACDConfig{})
		_ = w.Add(w.now, ip4)
		w.Take(nil)
		if got := w.ARP(w.now, &tt.arp); got != tt.probing {
			t.Errorf("%s, while probing: %v", tt.name, got)
		}
		if tt.probing {
			w.want(tt.name, "SetAddress 10.0.0.1/24 duplicate")
			w.advance(hour)
			w.want("given up")
		}
		w = newACD(t, ACDConfig{Probes: -1})
		_ = w.Add(w.now, ip4)
		if got := w.ARP(w.now, &tt.arp); got != tt.used {
			t.Errorf("%s, while in use: %v", tt.name, got)
		}
	}
}

// RFC 5227 section 2.4.
func TestACDDefends(t *testing.T) {
	w := newACD(t, ACDConfig{Probes: -1, Announcements: -1})
	_ = w.Add(w.now, ip4)
	w.Take(nil)
	claim := header.ARP{Op: header.ARPReply, SenderHW: theirs, Sender: ip4.Addr(), Target: ip4.Addr()}
	w.ARP(w.now, &claim)
	w.want("defended", "SendAnnouncement 10.0.0.1")
	for range 9 {
		w.advance(second)
		w.ARP(w.now, &claim)
	}
	w.want("not within 10 s")
	w.advance(second)
	w.ARP(w.now, &claim)
	w.want("again", "SendAnnouncement 10.0.0.1")
	if w.State(ip4.Addr()) != Preferred || w.Conflicts() != 11 {
		t.Errorf("%v, %d conflicts", w.State(ip4.Addr()), w.Conflicts())
	}
}

func TestACDAddAndRemove(t *testing.T) {
	w := newACD(t, ACDConfig{})
	for _, p := range []string{"::1/64", "0.0.0.0/8", "224.0.0.1/8"} {
		if err := w.Add(w.now, netip.MustParsePrefix(p)); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v", p, err)
		}
	}
	_ = w.Add(w.now, ip4)
	if err := w.Add(w.now, ip4); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("twice: %v", err)
	}
	w.Take(nil)
	if !w.Remove(ip4.Addr()) || w.Remove(ip4.Addr()) || w.State(ip4.Addr()) != 0 {
		t.Error("removal")
	}
	w.want("removed", "RemoveAddress 10.0.0.1/24")
	if w.Deadline() != 0 {
		t.Error("still probing")
	}
}
