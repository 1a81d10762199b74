package kernel_test

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/socket/sockettest"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// namespace is a network namespace that lives as long as the test.
type namespace struct {
	*netlink.Handle
	ns netns.NsHandle
	p  *kernel.Provider
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	var n namespace
	inThread(t, func() error {
		ns, err := netns.New()
		if err != nil {
			return err
		}
		n.ns = ns
		for name, value := range map[string]string{
			"ipv4/ping_group_range": "0 2147483647", // everybody may make ping sockets
			"ipv4/icmp_ratelimit":   "0",
			"ipv6/icmp/ratelimit":   "0",
		} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
				return err
			}
		}
		return nil
	})
	t.Cleanup(func() { n.ns.Close() })
	var err error
	if n.Handle, err = netlink.NewHandleAt(n.ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Handle.Close)
	if n.p, err = kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", n.ns)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.p.Close() })
	return &n
}

// inThread runs f on a thread of its own, which ends with it: what f does to
// the thread's namespace concerns nobody else.
func inThread(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (n *namespace) up(t *testing.T, name string, addrs ...string) netlink.Link {
	t.Helper()
	l, err := n.LinkByName(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		addr, err := netlink.ParseAddr(a)
		if err != nil {
			t.Fatal(err)
		}
		addr.Flags = syscall.IFA_F_NODAD // usable at once
		if err := n.AddrAdd(l, addr); err != nil {
			t.Fatalf("%s on %s: %v", a, name, err)
		}
	}
	if err := n.LinkSetUp(l); err != nil {
		t.Fatal(err)
	}
	return l
}

// awaitUp waits until the kernel has noticed that the link is there: what is
// sent before is lost.
func (n *namespace) awaitUp(t *testing.T, name string) {
	t.Helper()
	updates, done := make(chan netlink.LinkUpdate), make(chan struct{})
	defer close(done)
	if err := netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{
		Namespace:    &n.ns,
		ListExisting: true,
	}); err != nil {
		t.Fatal(err)
	}
	for u := range updates {
		if u.Attrs().Name == name && u.Attrs().OperState == netlink.OperUp {
			return
		}
	}
	t.Fatalf("%s does not come up", name)
}

// joinedNamespaces is two namespaces with a link between them.
func joinedNamespaces(t *testing.T) sockettest.Env {
	t.Helper()
	a, b := newNamespace(t), newNamespace(t)
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: "left", MTU: 1500},
		PeerName:      "right",
		PeerNamespace: netlink.NsFd(b.ns),
	}
	if err := a.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	for _, n := range []struct {
		*namespace
		link string
	}{{a, "left"}, {b, "right"}} {
		n.up(t, "lo")
		// No router is there to be asked, and addresses are given by hand.
		inThread(t, func() error {
			if err := netns.Set(n.ns); err != nil {
				return err
			}
			return os.WriteFile("/proc/sys/net/ipv6/conf/"+n.link+"/addr_gen_mode", []byte("1"), 0)
		})
	}
	left := a.up(t, "left", "10.9.0.1/24", "fd09::1/64", "fe80::1/64")
	right := b.up(t, "right", "10.9.0.2/24", "fd09::2/64", "fe80::2/64")
	a.awaitUp(t, "left")
	b.awaitUp(t, "right")
	return sockettest.Env{
		A: a.p, B: b.p,
		AddrA4:     netip.MustParseAddr("10.9.0.1"),
		AddrB4:     netip.MustParseAddr("10.9.0.2"),
		AddrA6:     netip.MustParseAddr("fd09::1"),
		AddrB6:     netip.MustParseAddr("fd09::2"),
		LinkLocalA: netip.MustParseAddr("fe80::1%left"),
		LinkLocalB: netip.MustParseAddr("fe80::2%right"),
		Broadcast4: netip.MustParseAddr("10.9.0.255"),
		InterfaceA: "left", InterfaceB: "right",
		IndexA: left.Attrs().Index, IndexB: right.Attrs().Index,
		MTU: 1500,
		Raw: true, Admin: true, Ping: true,
	}
}
