package afpacket_test

import (
	"strings"
	"testing"

	"example.com/berth/link/afpacket"
)

// TestOptionsSayWhatIsWrong needs no privilege, and no Linux: options are looked
// at before anything is opened.
func TestOptionsSayWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		opts []afpacket.Option
		says string
	}{
		{[]afpacket.Option{afpacket.MTU(67)}, "MTU 67 "},
		{[]afpacket.Option{afpacket.MTU(65536)}, "MTU 65536 "},
		{[]afpacket.Option{afpacket.Buffer(0)}, "buffer of 0 bytes"},
		{[]afpacket.Option{afpacket.HardwareAddr([6]byte{})}, "hardware address 00 00"},
		{[]afpacket.Option{afpacket.HardwareAddr([6]byte{1, 2, 3, 4, 5, 6})}, "hardware address 01 02"},
		{[]afpacket.Option{afpacket.HardwareAddr([6]byte{2}), afpacket.InterfaceAddr()}, "exclude each other"},
		{[]afpacket.Option{afpacket.Namespace("")}, "without a path"},
	} {
		d, err := afpacket.Open("veth0", tt.opts...)
		if err == nil {
			d.Close()
			t.Errorf("%s: no error", tt.says)
			continue
		}
		if !strings.HasPrefix(err.Error(), "afpacket: ") || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v; does not say %q", err, tt.says)
		}
	}
}
