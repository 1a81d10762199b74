package tuntap_test

import (
	"strings"
	"testing"

	"example.com/berth/link/tuntap"
)

// TestOptionsSayWhatIsWrong needs no privilege, and no Linux: options are looked
// at before anything is opened.
func TestOptionsSayWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		opt  tuntap.Option
		says []string
	}{
		{tuntap.HostAddr("10.77.0.1"), []string{`"10.77.0.1"`, "as 10.77.0.1/24"}},
		{tuntap.HostAddr("10.77.0.300/24"), []string{`"10.77.0.300/24"`}},
		{tuntap.HostAddr("fd77::1%eth0/64"), []string{`"fd77::1%eth0/64"`}},
		{tuntap.HostAddr("0.0.0.0/0"), []string{`"0.0.0.0/0"`, "cannot be"}},
		{tuntap.HostAddr("224.0.0.1/4"), []string{`"224.0.0.1/4"`, "cannot be"}},
		{tuntap.HostAddr("::ffff:10.0.0.1/120"), []string{`"::ffff:10.0.0.1/120"`}},
		{tuntap.MTU(67), []string{"MTU 67 ", "68", "65535"}},
		{tuntap.MTU(65536), []string{"MTU 65536 "}},
		{tuntap.QueueLength(0), []string{"queue length 0"}},
		{tuntap.HardwareAddr([6]byte{}), []string{"hardware address 00 00"}},
		{tuntap.HardwareAddr([6]byte{1, 2, 3, 4, 5, 6}), []string{"hardware address 01 02"}},
		{tuntap.Namespace(""), []string{"without a path"}},
	} {
		d, err := tuntap.Open("bt0", tt.opt)
		if err == nil {
			d.Close()
			t.Errorf("%v: no error", tt.says)
			continue
		}
		for _, s := range append(tt.says, "tuntap: ") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%v; does not say %q", err, s)
			}
		}
	}
}
