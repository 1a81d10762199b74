package icmp

import (
	"syscall"
	"testing"
)

// The values are those that Linux gives: icmp_err_convert and
// icmpv6_err_convert.
func TestErrnos(t *testing.T) {
	const hard, soft = true, false
	for _, tt := range []struct {
		version   int
		typ, code uint8
		errno     syscall.Errno
		hard      bool
	}{
		{4, 3, 0, syscall.ENETUNREACH, soft},
		{4, 3, 1, syscall.EHOSTUNREACH, soft},
		{4, 3, 2, syscall.ENOPROTOOPT, hard},
		{4, 3, 3, syscall.ECONNREFUSED, hard},
		{4, 3, 4, syscall.EMSGSIZE, soft},
		{4, 3, 5, syscall.EOPNOTSUPP, soft},
		{4, 3, 6, syscall.ENETUNREACH, hard},
		{4, 3, 7, syscall.EHOSTDOWN, hard},
		{4, 3, 8, errNoNet, hard},
		{4, 3, 9, syscall.ENETUNREACH, hard},
		{4, 3, 10, syscall.EHOSTUNREACH, hard},
		{4, 3, 11, syscall.ENETUNREACH, soft},
		{4, 3, 12, syscall.EHOSTUNREACH, soft},
		{4, 3, 13, syscall.EHOSTUNREACH, hard},
		{4, 3, 14, syscall.EHOSTUNREACH, hard},
		{4, 3, 15, syscall.EHOSTUNREACH, hard},
		{4, 5, 1, 0, soft},
		{4, 11, 0, syscall.EHOSTUNREACH, soft},
		{4, 11, 1, syscall.EHOSTUNREACH, soft},
		{4, 12, 0, syscall.EPROTO, hard},
		{6, 1, 0, syscall.ENETUNREACH, soft},
		{6, 1, 1, syscall.EACCES, hard},
		{6, 1, 2, syscall.EHOSTUNREACH, soft},
		{6, 1, 3, syscall.EHOSTUNREACH, soft},
		{6, 1, 4, syscall.ECONNREFUSED, hard},
		{6, 1, 5, syscall.EACCES, hard},
		{6, 1, 6, syscall.EACCES, hard},
		{6, 1, 7, syscall.EPROTO, hard},
		{6, 2, 0, syscall.EMSGSIZE, soft},
		{6, 3, 0, syscall.EHOSTUNREACH, soft},
		{6, 3, 1, syscall.EHOSTUNREACH, soft},
		{6, 4, 0, syscall.EPROTO, hard},
		{6, 100, 0, syscall.EPROTO, soft},
	} {
		convert := Errno4
		if tt.version == 6 {
			convert = Errno6
		}
		got, ok := convert(tt.typ, tt.code)
		if !ok || got != (Verdict{tt.errno, tt.hard}) {
			t.Errorf("ICMPv%d type %d code %d: %v %v", tt.version, tt.typ, tt.code, got, ok)
		}
	}
}

func TestWhatIsIgnored(t *testing.T) {
	for _, typ := range []uint8{0, 4, 8, 13, 42} { // source quench among them
		if _, ok := Errno4(typ, 0); ok {
			t.Errorf("ICMPv4 type %d means something", typ)
		}
	}
	if _, ok := Errno4(3, 16); ok {
		t.Error("unreachable with code 16 means something")
	}
	for _, typ := range []uint8{128, 135, 255} {
		if _, ok := Errno6(typ, 0); ok {
			t.Errorf("ICMPv6 type %d means something", typ)
		}
	}
}
