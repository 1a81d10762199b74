package header

import "testing"

func TestMAC(t *testing.T) {
	if got := mac1.String(); got != "02:00:00:00:00:01" {
		t.Errorf("String: %q", got)
	}
	if !Broadcast.IsBroadcast() || !Broadcast.IsMulticast() || mac1.IsBroadcast() || mac1.IsMulticast() {
		t.Error("who is multicast, who broadcast")
	}
	if !(MAC{}).IsZero() || mac1.IsZero() {
		t.Error("which is zero")
	}
}

func TestMulticastMAC(t *testing.T) {
	for _, tt := range []struct {
		group string
		want  MAC
	}{
		{"224.0.0.1", MAC{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}},
		{"239.255.255.250", MAC{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}}, // 23 bits only
		{"ff02::1", MAC{0x33, 0x33, 0, 0, 0, 1}},
		{"ff02::1:ff28:9c5a", MAC{0x33, 0x33, 0xff, 0x28, 0x9c, 0x5a}},
	} {
		if got := MulticastMAC(addr(tt.group)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.group, got, tt.want)
		}
	}
}
