package policy

import (
	"net/netip"
	"testing"
)

func TestFlowInWords(t *testing.T) {
	for _, tt := range []struct {
		f    Flow
		want string
	}{
		{Flow{Proto: TCP, Dst: netip.MustParseAddrPort("203.0.113.5:443")}, "tcp 203.0.113.5:443"},
		{Flow{Proto: UDP, Dst: netip.MustParseAddrPort("[2001:db8::1]:53")}, "udp [2001:db8::1]:53"},
		{Flow{Proto: TCP, Dst: netip.MustParseAddrPort("[::ffff:10.0.0.1]:22")}, "tcp 10.0.0.1:22"},
		{Flow{Proto: ICMP, Dst: netip.MustParseAddrPort("203.0.113.5:0")}, "icmp 203.0.113.5"},
		{Flow{Proto: Other, Number: 132, Dst: netip.MustParseAddrPort("203.0.113.5:0")}, "protocol 132 203.0.113.5"},
		{Flow{Dst: netip.MustParseAddrPort("203.0.113.5:0")}, "none 203.0.113.5"},
	} {
		if got := tt.f.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	f := Flow{Proto: Other, Number: 132, Dst: netip.MustParseAddrPort("203.0.113.5:0")}
	if got := f.describe("a.example"); got != "protocol 132 a.example" {
		t.Errorf("got %q", got)
	}
	f.Proto = TCP
	if got := f.describe("a.example"); got != "tcp a.example:0" {
		t.Errorf("got %q", got)
	}
	f.Proto = ICMP
	if got := f.describe("a.example"); got != "icmp a.example" {
		t.Errorf("got %q", got)
	}
}
