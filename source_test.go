package berth_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
)

func TestSourceAddr(t *testing.T) {
	alice, _ := pair(t)
	for _, tt := range []struct {
		dst, want string
		err       error
	}{
		{bob4.String(), alice4.String(), nil},
		{"::ffff:" + bob4.String(), alice4.String(), nil},
		{bob6.String(), alice6.String(), nil},
		{"127.0.0.5", "127.0.0.1", nil},
		{"192.0.2.1", "", syscall.ENETUNREACH},
		{"fe80::1", "", syscall.EINVAL},
	} {
		got, err := alice.SourceAddr(netip.MustParseAddr(tt.dst))
		if !errors.Is(err, tt.err) || err == nil && got.String() != tt.want {
			t.Errorf("to %s: %v, %v, want %s, %v", tt.dst, got, err, tt.want, tt.err)
		}
	}
}
