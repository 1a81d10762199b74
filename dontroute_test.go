package berth_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/socket"
)

// SO_DONTROUTE and MSG_DONTROUTE send to the link itself, and not to what is
// behind a gateway.
func TestDontRouteStaysOnTheLink(t *testing.T) {
	alice, _ := pair(t)
	far := netip.MustParseAddrPort("192.0.2.1:9")
	if err := alice.AddRoute(berth.Route{Dst: netip.MustParsePrefix("192.0.2.0/24"), Via: bob4}); err != nil {
		t.Fatal(err)
	}
	near := netip.AddrPortFrom(bob4, 9)
	s := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
	for _, tt := range []struct {
		to    netip.AddrPort
		flags socket.Flags
		want  error
	}{
		{far, 0, nil},
		{far, socket.MSG_DONTROUTE, syscall.ENETUNREACH},
		{near, socket.MSG_DONTROUTE, nil},
	} {
		if _, err := s.SendTo([]byte("x"), tt.flags, tt.to); !errors.Is(err, tt.want) {
			t.Errorf("to %v with flags %#x: %v, want %v", tt.to, int(tt.flags), err, tt.want)
		}
	}
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		s := newSocket(t, alice, socket.INET, typ, 0)
		set(t, s, socket.SO_DONTROUTE, 1)
		err := s.Connect(t.Context(), far)
		if typ == socket.DGRAM && err == nil {
			_, err = s.Send([]byte("x"), 0)
		}
		if !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("%v: %v", typ, err)
		}
	}
}
