package rtnl_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"example.com/berth/internal/testnet"
	"example.com/berth/link/internal/rtnl"
)

// in finds an interface of a namespace.
func in(t *testing.T, ns *testnet.NS, name string) (*rtnl.Interface, rtnl.State) {
	t.Helper()
	var (
		i   *rtnl.Interface
		s   rtnl.State
		err error
	)
	ns.Do(func() { i, s, err = rtnl.Find(name) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Close)
	return i, s
}

func TestSetUp(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	i, s := in(t, ns, "v0")
	if s.Name != "v0" || s.MTU != 1500 || !s.Ethernet || s.Addr == [6]byte{} || s.Index == 0 {
		t.Errorf("found as %+v", s)
	}
	for range 2 { // what is there already is no error
		for _, a := range []string{"10.77.0.1/24", "fd77::1/64"} {
			if err := i.AddAddr(netip.MustParsePrefix(a)); err != nil {
				t.Errorf("address %s: %v", a, err)
			}
			ns.Do(func() {
				// Fails unless the kernel takes it for its own.
				c, err := net.ListenPacket("udp", net.JoinHostPort(strings.Split(a, "/")[0], "0"))
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
			})
		}
	}
	if err := errors.Join(i.SetMTU(1400), i.SetQueueLength(77), i.SetUp()); err != nil {
		t.Error(err)
	}
	if s, err := i.State(); err != nil || s.MTU != 1400 || !s.Up {
		t.Errorf("is %+v, %v", s, err)
	}
	ns.Do(func() {
		l, err := netlink.LinkByName("v0")
		if err != nil || l.Attrs().TxQLen != 77 {
			t.Errorf("queue length %d, %v", l.Attrs().TxQLen, err)
		}
		addrs, err := netlink.AddrList(l, netlink.FAMILY_ALL)
		var all []string
		for _, a := range addrs {
			all = append(all, a.IPNet.String())
			if a.Flags&unix.IFA_F_TENTATIVE != 0 && !a.IP.IsLinkLocalUnicast() {
				t.Errorf("%v cannot be used yet", a.IPNet)
			}
		}
		if got := strings.Join(all, " "); err != nil || !strings.Contains(got, "10.77.0.1/24") || !strings.Contains(got, "fd77::1/64") {
			t.Errorf("addresses %s, %v", got, err)
		}
	})
	if _, s := in(t, ns, "lo"); s.Ethernet || !s.Up {
		t.Errorf("loopback is %+v", s)
	}
}

func TestWatch(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	i, _ := in(t, ns, "v0")
	other, _ := in(t, ns, "v1")
	type change struct {
		s   rtnl.State
		err error
	}
	changes := make(chan change, 100)
	var watching sync.WaitGroup
	watching.Go(func() { i.Watch(func(s rtnl.State, err error) { changes <- change{s, err} }) })
	wait := func(what string, ok func(change) bool) {
		t.Helper()
		for late := time.After(10 * time.Second); ; {
			select {
			case c := <-changes:
				if ok(c) {
					return
				}
			case <-late:
				t.Fatalf("%s was not noticed", what)
			}
		}
	}
	other.SetMTU(1200) // none of ours
	i.SetMTU(1300)
	wait("the MTU", func(c change) bool { return c.s.MTU == 1300 })
	ns.Do(func() {
		l, err := netlink.LinkByName("v0")
		if err != nil {
			t.Error(err)
			return
		}
		netlink.LinkSetDown(l)
		netlink.LinkSetName(l, "new")
		netlink.LinkSetUp(l)
	})
	wait("the name", func(c change) bool { return c.s.Name == "new" && c.s.Up })
	ns.Do(func() {
		if l, err := netlink.LinkByName("new"); err == nil {
			netlink.LinkDel(l)
		}
	})
	wait("removal", func(c change) bool { return errors.Is(c.err, unix.ENODEV) })
	watching.Wait() // it ends by itself
	if _, err := i.State(); !errors.Is(err, unix.ENODEV) {
		t.Errorf("state of an interface that is gone: %v", err)
	}
}

func TestCloseEndsWatch(t *testing.T) {
	ns := testnet.New(t)
	i, _ := in(t, ns, "lo")
	var watching sync.WaitGroup
	watching.Go(func() { i.Watch(func(rtnl.State, error) {}) })
	i.Close()
	watching.Wait()
	i.Close()
	if _, err := i.State(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("State after Close: %v", err)
	}
	if err := i.SetUp(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("SetUp after Close: %v", err)
	}
}

func TestNotThere(t *testing.T) {
	if _, _, err := rtnl.Find("nobody-has-it"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("an interface that is not there: %v", err)
	}
}

func TestNamespaces(t *testing.T) {
	ns := testnet.New(t)
	ns.Veth("v0", ns, "v1")
	find := func() error {
		i, _, err := rtnl.Find("v0")
		if err == nil {
			i.Close()
		}
		return err
	}
	path := "/proc/self/fd/" + strconv.Itoa(ns.FD())
	for _, tt := range []struct {
		ns   rtnl.Namespace
		name string
		err  error
		way  bool // the error is of entering
	}{
		{rtnl.Namespace{}, "the current network namespace", unix.ENODEV, false},
		{rtnl.NamespaceOf(ns.FD()), "network namespace of descriptor", nil, false},
		{rtnl.NamespaceAt(path), "network namespace /proc/self/fd/", nil, false},
		{rtnl.NamespaceAt("/nowhere"), "network namespace /nowhere", unix.ENOENT, true},
		{rtnl.NamespaceOf(1 << 20), "network namespace of descriptor 1048576", unix.EBADF, true},
	} {
		err := tt.ns.Do(find)
		if !errors.Is(err, tt.err) || errors.Is(err, rtnl.ErrNamespace) != tt.way {
			t.Errorf("%v: %v, want %v", tt.ns, err, tt.err)
		}
		if !strings.Contains(tt.ns.String(), tt.name) {
			t.Errorf("%q is not called %q", tt.ns, tt.name)
		}
	}
}
