package tuntap_test

import (
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What tests do to the kernel's side of an interface, in the namespace of the
// calling thread.

func exists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}

func onLink(t *testing.T, name string, f func(netlink.Link) error) {
	t.Helper()
	l, err := netlink.LinkByName(name)
	if err == nil {
		err = f(l)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func setMTU(t *testing.T, name string, mtu int) {
	t.Helper()
	onLink(t, name, func(l netlink.Link) error { return netlink.LinkSetMTU(l, mtu) })
}

func setUp(t *testing.T, name string, up bool) {
	t.Helper()
	onLink(t, name, func(l netlink.Link) error {
		if up {
			return netlink.LinkSetUp(l)
		}
		return netlink.LinkSetDown(l)
	})
}

func remove(t *testing.T, name string) {
	t.Helper()
	onLink(t, name, netlink.LinkDel)
}

// openTUN opens a descriptor as another program would. Without flags no
// interface is chosen for it.
func openTUN(t *testing.T, name string, flags uint16, header int) int {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return -1
	}
	if flags == 0 {
		return fd
	}
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		t.Error(err)
		return fd
	}
	ifr.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		t.Errorf("TUNSETIFF: %v", err)
	}
	if header != 0 {
		if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, header); err != nil {
			t.Errorf("TUNSETVNETHDRSZ: %v", err)
		}
	}
	return fd
}

// persist makes a TUN that stays when it is closed.
func persist(t *testing.T, name string) {
	t.Helper()
	fd := openTUN(t, name, unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR, 12)
	defer unix.Close(fd)
	if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1); err != nil {
		t.Errorf("TUNSETPERSIST: %v", err)
	}
}
