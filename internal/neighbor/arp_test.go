package neighbor

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
)

func TestARP(t *testing.T) {
	const request, reply = header.ARPRequest, header.ARPReply
	known := []State{Reachable, Stale, Delay, Probe, Unreachable}
	asking := []State{Probe, Unreachable}
	other := netip.MustParseAddr("10.0.0.9")
	for _, row := range []struct {
		name          string
		states        []State
		op            uint16
		target        netip.Addr
		forUs, direct bool
		mac           header.MAC // the sender's
		want          []string
		next          State // None: unchanged
		after         header.MAC
	}{
		{"request for us", []State{None, Failed}, request, self4, true, false, mac1, nil, Stale, mac1},
		{"request for another", []State{None}, request, other, false, false, mac1, nil, None, noMAC},
		{"reply not asked for", []State{None}, reply, self4, true, true, mac1, nil, None, noMAC},
		{"announcement", []State{None}, request, peer4, false, false, mac1, nil, None, noMAC},
		{"announcement by reply", []State{None}, reply, peer4, false, false, mac1, nil, None, noMAC},

		{"reply", []State{Incomplete}, reply, self4, true, true, mac1, []string{"send:1:p"}, Reachable, mac1},
		{"broadcast reply", []State{Incomplete}, reply, self4, true, false, mac1, []string{"send:1:p"}, Delay, mac1},
		{"request for us", []State{Incomplete}, request, self4, true, false, mac1, []string{"send:1:p"}, Delay, mac1},
		{"request for another", []State{Incomplete}, request, other, false, false, mac1, []string{"send:1:p"}, Delay, mac1},
		{"announcement", []State{Incomplete}, request, peer4, false, false, mac1, []string{"send:1:p"}, Delay, mac1},

		{"reply", asking, reply, self4, true, true, mac1, nil, Reachable, mac1},
		{"reply, moved", asking, reply, self4, true, true, mac2, nil, Reachable, mac2},
		{"broadcast reply", asking, reply, self4, true, false, mac1, nil, None, mac1},
		{"reply not asked for", []State{Stale, Delay}, reply, self4, true, true, mac1, nil, None, mac1},
		{"reply not asked for, moved", []State{Stale, Delay}, reply, self4, true, true, mac2, nil, Stale, mac2},
		{"request", known, request, other, false, false, mac1, nil, None, mac1},
		{"request, moved", []State{Stale, Delay, Probe, Unreachable}, request, other, false, false, mac2, nil, Stale, mac2},
		{"request, moved within a second", []State{Reachable}, request, other, false, false, mac2, nil, None, mac1},
		{"second reply", []State{Reachable}, reply, self4, true, true, mac2, nil, None, mac1},
		{"announcement, moved", known, request, peer4, false, false, mac2, nil, Stale, mac2},

		{"announcement", []State{Permanent}, request, peer4, false, false, mac2, nil, None, mac1},
		{"of a group address", []State{None, Incomplete}, request, self4, true, false, header.MAC{1}, nil, None, noMAC},
		{"broadcast address", known, request, self4, true, false, header.Broadcast, nil, None, mac1},
		{"zero address", known, request, self4, true, false, noMAC, nil, None, mac1},
	} {
		for _, from := range row.states {
			t.Run(fmt.Sprintf("%v/%s", from, row.name), func(t *testing.T) {
				w := newWorld(t, Config{})
				w.enterState(from, peer4)
				w.ARP(w.now, &header.ARP{
					Op: row.op, SenderHW: row.mac, Sender: peer4, Target: row.target,
				}, row.forUs, row.direct)
				w.want("actions", answered(from, row.next, row.want)...)
				next := row.next
				if next == None {
					next = from
				}
				w.wantState("afterwards", peer4, next)
				if hw, _ := w.Resolve(w.now, peer4); hw != row.after {
					t.Errorf("link-layer address %v, want %v", hw, row.after)
				}
			})
		}
	}
}

func TestARPProbesAndForeignSendersAreIgnored(t *testing.T) {
	w := newWorld(t, Config{LearnUnsolicited: true})
	for _, sender := range []string{"0.0.0.0", "224.0.0.1", "::1", "fe80::1"} {
		w.ARP(w.now, &header.ARP{
			Op: header.ARPRequest, SenderHW: mac1, Sender: netip.MustParseAddr(sender), Target: self4,
		}, true, false)
	}
	if w.Len() != 0 || w.Stats().Ignored != 4 {
		t.Errorf("%d entries, %d ignored", w.Len(), w.Stats().Ignored)
	}
}

func TestRoutersLearnFromAnnouncements(t *testing.T) {
	w := newWorld(t, Config{LearnUnsolicited: true})
	w.ARP(w.now, &header.ARP{Op: header.ARPReply, SenderHW: mac1, Sender: peer4, Target: peer4}, false, false)
	w.wantState("gratuitous ARP", peer4, Stale)

	// RFC 9131 section 6.1.2.
	na := header.NeighborAdvert{Target: peer, Solicited: true, TargetHW: mac1, HasTargetHW: true}
	w.Advert(w.now, &na)
	w.wantState("solicited, but not by us", peer, None)
	na.Solicited, na.HasTargetHW = false, false
	w.Advert(w.now, &na)
	w.wantState("without an address", peer, None)
	na.HasTargetHW, na.Router = true, true
	w.Advert(w.now, &na)
	w.wantState("unsolicited advertisement", peer, Stale)
	if e := w.Entries(w.now, nil); !e[1].Router || e[1].MAC != mac1 {
		t.Errorf("%+v", e[1])
	}
}
