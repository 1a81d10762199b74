package testnet

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"example.com/berth/link/tuntap"
)

// NS is a network namespace that ends with its test.
type NS struct {
	t      testing.TB
	handle netns.NsHandle
}

// New makes a network namespace, or skips the test. Its loopback interface is up.
// Duplicate address detection is off in it: the second that the kernel takes for
// that would be spent by every test with Ethernet and IPv6.
func New(t testing.TB) *NS {
	t.Helper()
	NeedRoot(t)
	ns := &NS{t: t}
	err := inNewNamespace(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(lo); err != nil {
			return err
		}
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0); err != nil && !os.IsNotExist(err) {
			return err // but a kernel without IPv6 is fine
		}
		ns.handle, err = netns.Get()
		return err
	})
	if err != nil {
		t.Fatalf("network namespace: %v", err)
	}
	t.Cleanup(func() { ns.handle.Close() })
	return ns
}

// FD is a descriptor of the namespace, open until the test ends.
func (ns *NS) FD() int { return int(ns.handle) }

// Do runs f on a thread in the namespace and returns when it is done. Sockets
// opened by f (also through package net, if f's own goroutine opens them) stay in
// the namespace; goroutines that f starts do not. f must not call methods that
// end the test, as t.Fatal.
func (ns *NS) Do(f func()) {
	ns.t.Helper()
	if err := ns.do(func() error { f(); return nil }); err != nil {
		ns.t.Fatal(err)
	}
}

func (ns *NS) do(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		if err := unix.Setns(int(ns.handle), unix.CLONE_NEWNET); err != nil {
			result <- os.NewSyscallError("setns", err)
			return
		}
		result <- f()
	}()
	return <-result
}

// Sysctl sets a parameter of the namespace's network, as "net.ipv4.ip_forward".
func (ns *NS) Sysctl(name, value string) {
	ns.t.Helper()
	path := filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/"))
	if err := ns.do(func() error { return os.WriteFile(path, []byte(value), 0) }); err != nil {
		ns.t.Fatalf("sysctl %s=%s: %v", name, value, err)
	}
}

// TUN opens a TUN in the namespace, or a TAP with tuntap.TAP among the options,
// and closes it when the test ends. It has the next free name.
func (ns *NS) TUN(opts ...tuntap.Option) *tuntap.Device {
	ns.t.Helper()
	NeedTUN(ns.t)
	d, err := tuntap.Open("bt%d", append(opts[:len(opts):len(opts)], tuntap.NamespaceFD(ns.FD()))...)
	if err != nil {
		ns.t.Fatal(err)
	}
	ns.t.Cleanup(func() { d.Close() })
	return d
}

// Veth makes a pair of Ethernet interfaces joined to each other: name here, and
// peer in another namespace, which may be the same. Both are up. They go when one
// of the namespaces does.
func (ns *NS) Veth(name string, other *NS, peer string) {
	ns.t.Helper()
	err := ns.do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = name
		err := netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: attrs, PeerName: peer, PeerNamespace: netlink.NsFd(other.FD()),
		})
		if err != nil {
			return err
		}
		return linkUp(name)
	})
	if err == nil {
		err = other.do(func() error { return linkUp(peer) })
	}
	if err != nil {
		ns.t.Fatalf("veth %s: %v", name, err)
	}
}

func linkUp(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

// Addr gives an interface of the namespace an address, "10.77.0.1/24", that can be
// used when it returns.
func (ns *NS) Addr(name, prefix string) {
	ns.t.Helper()
	err := ns.do(func() error {
		a, err := netlink.ParseAddr(prefix)
		if err != nil {
			return err
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(l, a); err != nil {
			return err
		}
		return awaitLocal(a.IP)
	})
	if err != nil {
		ns.t.Fatalf("address %s of %s: %v", prefix, name, err)
	}
}

// awaitLocal waits until the kernel takes packets to an address: that of IPv6
// comes into use from a work queue.
func awaitLocal(ip net.IP) error {
	for start := time.Now(); time.Since(start) < Patience; time.Sleep(time.Millisecond) {
		if r, err := netlink.RouteGet(ip); err == nil && len(r) > 0 && r[0].Type == unix.RTN_LOCAL {
			return nil
		}
	}
	return os.ErrDeadlineExceeded
}
