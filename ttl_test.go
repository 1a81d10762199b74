package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// HOST-24: the TTL that packets have by themselves can be configured, for what
// programs send and for what the host answers.
func TestTheDefaultTTLIsConfigured(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		for configured, want := range map[uint8]int{0: 64, 33: 33, 255: 255} {
			h, st := stationed(t, berth.Config{TTL: configured})
			p := playedServer(t, h, st, remote)
			send(t, p.sock, "x")
			option, echo := socket.IP_TTL, header.ICMP{Type: header.ICMPv4EchoRequest}
			if remote.Is6() {
				option, echo.Type = socket.IPV6_UNICAST_HOPS, header.ICMPv6EchoRequest
			}
			if got := st.one("the segment", isTCP).ttl; int(got) != want {
				t.Errorf("a segment has %d, want %d", got, want)
			}
			if got, err := socket.Get(p.sock, option); got != want || err != nil {
				t.Errorf("the option is %d, %v, want %d", got, err, want)
			}
			st.icmpMessage(remote, localOf(remote), echo, nil)
			if got := st.one("the answer", nil).ttl; int(got) != want {
				t.Errorf("an answer has %d, want %d", got, want)
			}
		}
	})
}
