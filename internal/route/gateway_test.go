package route

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestGateways(t *testing.T) {
	var g Gateways
	via := func(last byte) *Route {
		return &Route{Gateway: netip.AddrFrom4([4]byte{10, 0, 0, last}), Interface: 2}
	}
	gw := func(last byte) Gateway { k, _ := gatewayOf(via(last)); return k }
	now := time.Hour
	news := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	asks := func(want ...Gateway) {
		t.Helper()
		news("wanted", g.Wanted(), len(want) > 0)
		if got := g.Ask(now, nil); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("asks %v, want %v", got, want)
		}
	}
	news("an unknown one is avoided", g.Avoid(via(1)), false)
	news("a route to the link is avoided", g.Avoid(&Route{Interface: 2}), false)
	news("lost", g.Lost(now, gw(1)), true)
	news("lost once more", g.Lost(now, gw(1)), false)
	news("avoided", g.Avoid(via(1)), true)
	news("another is avoided", g.Avoid(via(2)), false)
	asks() // it rests
	if g.Deadline() != now+AskInterval {
		t.Errorf("deadline %v", g.Deadline())
	}
	news("rested early", g.Timer(now), false)
	now += AskInterval
	news("rested", g.Timer(now), true)
	asks() // nobody wants it
	if g.Deadline() != 0 {
		t.Errorf("deadline %v", g.Deadline())
	}
	news("avoided", g.Avoid(via(1)), true)
	asks(gw(1))
	asks() // it rests again
	news("found", g.Found(gw(1)), true)
	news("found once more", g.Found(gw(1)), false)
	news("avoided", g.Avoid(via(1)), false)
}

func TestOfTooManyGatewaysTheFirstIsForgotten(t *testing.T) {
	var g Gateways
	for i := range 2 * maxDead {
		g.Lost(time.Duration(1+i), Gateway{netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1})
	}
	if g.Len() != maxDead || g.Found(Gateway{netip.AddrFrom4([4]byte{10, 0, 0, 255}), 1}) {
		t.Errorf("%d", g.Len())
	}
}

// Of the routes to the longest prefix one is taken that is not avoided, if there
// is one (RFC 1122 3.3.1.5).
func TestLookupAround(t *testing.T) {
	table := new(Table)
	dst := netip.MustParseAddr("192.0.2.1")
	for metric, gateway := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} {
		var err error
		table, err = table.Add(Route{Prefix: netip.MustParsePrefix("0.0.0.0/0"), Gateway: netip.MustParseAddr(gateway), Interface: 1, Metric: metric})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ dead, want string }{
		{"", "10.0.0.1"},
		{"1", "10.0.0.2"},
		{"12", "10.0.0.3"},
		{"2", "10.0.0.1"},
		{"123", "10.0.0.1"}, // as good as any
	} {
		r, err := table.LookupAround(dst, 0, func(r *Route) bool {
			last := r.Gateway.As4()[3]
			for _, d := range tt.dead {
				if byte(d-'0') == last {
					return true
				}
			}
			return false
		})
		if err != nil || r.Gateway.String() != tt.want {
			t.Errorf("without %s: %v, %v, want %s", tt.dead, r.Gateway, err, tt.want)
		}
	}
	if _, err := (*Table)(nil).LookupAround(dst, 0, nil); err == nil {
		t.Error("an empty table has a route")
	}
}
