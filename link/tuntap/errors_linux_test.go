package tuntap

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What cannot be brought about everywhere: a machine without the driver.
func TestRemedies(t *testing.T) {
	for _, tt := range []struct {
		err  error
		errs error
		says string
	}{
		{explainOpen(unix.ENOENT), unix.ENOENT, "modprobe tun"},
		{explainOpen(unix.ENOENT), unix.ENOENT, "--device /dev/net/tun"},
		{explainOpen(unix.ENODEV), unix.ENODEV, "modprobe tun"},
		{explainOpen(unix.EACCES), unix.EACCES, "mode 0666, or root"},
		{explainOpen(unix.EPERM), unix.EPERM, "--device /dev/net/tun"},
		{explainOpen(unix.EMFILE), unix.EMFILE, "/dev/net/tun"},
		{explainInterface("bt0", true, unix.EINVAL), unix.EINVAL, "cannot be a TAP"},
		{explainInterface("bt0", false, unix.ENOMEM), unix.ENOMEM, `"bt0"`},
		{explainSetUp("bt0", "add address fd77::1/64", unix.EACCES), unix.EACCES, "add address fd77::1/64 needs CAP_NET_ADMIN"},
		{explainSetUp("bt0", "add address fd77::1/64", unix.EPERM), unix.EPERM, "setcap cap_net_admin+ep"},
	} {
		if !errors.Is(tt.err, tt.errs) || !strings.Contains(tt.err.Error(), tt.says) {
			t.Errorf("%v; want %v and %q", tt.err, tt.errs, tt.says)
		}
	}
}
