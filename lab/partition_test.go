package lab_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/berth/lab"
	"example.com/berth/socket"
)

// echo serves an echo on a host's port 7 until the network ends.
func echo(t *testing.T, h *lab.Host) {
	t.Helper()
	ln, err := h.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
}

// exchange sends a few bytes to an echo and waits for them.
func exchange(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, from *lab.Host, to string) net.Conn {
	t.Helper()
	c, err := from.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestPartitionHeals(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair(lab.Delay(10 * time.Millisecond))
		echo(t, b)
		c := dial(t, a, "b:7")
		exchange(t, c)
		heal := n.Partition(a)
		time.AfterFunc(3*time.Second, heal)
		start := time.Now()
		exchange(t, c)
		if d := time.Since(start); d < 3*time.Second || d > 10*time.Second {
			t.Errorf("the answer came after %v: want soon after the 3s of the partition", d)
		}
	})
}

// A peer that has vanished is found out by the retransmission time-outs: with
// Linux's fifteen after about fifteen minutes.
func TestVanishedPeer(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, l := n.Pair()
		echo(t, b)
		c := dial(t, a, "b:7")
		exchange(t, c)
		l.Cut()
		start := time.Now()
		if _, err := c.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("Read gives %v, want ETIMEDOUT", err)
		}
		if d := time.Since(start); d < 13*time.Minute || d > 20*time.Minute {
			t.Errorf("it took %v, want about 15 minutes", d)
		}
	})
}

func TestKeepaliveFindsACrash(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair()
		echo(t, b)
		d := a.Dialer()
		d.KeepAliveConfig = net.KeepAliveConfig{Enable: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}
		c, err := d.Dial("tcp", "b:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		exchange(t, c)
		b.Crash()
		start := time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("Read gives %v, want ETIMEDOUT", err)
		}
		if got, want := time.Since(start), 2*time.Hour+9*75*time.Second; got != want {
			t.Errorf("the crash was found after %v, want %v", got, want)
		}
	})
}

// A host that was restarted knows nothing of its connections, and says so.
func TestRestart(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair(lab.Delay(time.Millisecond))
		echo(t, b)
		c := dial(t, a, "b:7")
		exchange(t, c)
		b.Crash()
		if _, err := b.Listen("tcp", ":7"); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("Listen on a host that is down gives %v, want ENETDOWN", err)
		}
		b.Restart()
		echo(t, b)
		if _, err := c.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read gives %v, want ECONNRESET", err)
		}
		exchange(t, dial(t, a, "b:7"))
	})
}

// On a host that crashes all calls end.
func TestCallsOnACrashedHostEnd(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair()
		echo(t, b)
		c := dial(t, a, "b:7")
		time.AfterFunc(time.Second, a.Crash)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read gives %v, want net.ErrClosed", err)
		}
	})
}

// Members of a set reach each other over a switch or a router that is not one.
func TestPartitionOfALAN(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(n *lab.Network) []*lab.Host
	}{
		{"switch", func(n *lab.Network) []*lab.Host { _, h := n.LAN(4, lab.Delay(time.Millisecond)); return h }},
		{"router", func(n *lab.Network) []*lab.Host { _, h := n.Star(4, lab.Delay(time.Millisecond)); return h }},
	} {
		for _, network := range []string{"tcp4", "tcp6"} {
			t.Run(tt.name+" "+network, func(t *testing.T) {
				lab.Test(t, func(t *testing.T, n *lab.Network) {
					h := tt.make(n)
					for _, x := range h {
						echo(t, x)
					}
					reaches := func(from, to *lab.Host) bool {
						d := from.Dialer()
						d.Timeout = 10 * time.Second
						c, err := d.Dial(network, to.Name()+":7")
						if err == nil {
							c.Close()
						}
						return err == nil
					}
					check := func(when string, want func(i, j int) bool) {
						for i := range h {
							for j := range h {
								if got := reaches(h[i], h[j]); got != want(i, j) {
									t.Errorf("%s: %s reaches %s: %v", when, h[i].Name(), h[j].Name(), got)
								}
							}
						}
					}
					heal := n.Partition(h[0], h[1])
					check("parted", func(i, j int) bool { return i == j || i/2 == j/2 })
					second := n.Partition(h[1], h[2])
					check("parted twice", func(i, j int) bool { return i == j })
					heal()
					check("the second is left", func(i, j int) bool { return i == j || (i == 1 || i == 2) == (j == 1 || j == 2) })
					second()
					check("healed", func(i, j int) bool { return true })
				})
			})
		}
	}
}

// What the nodes of a part send to a group or to all reaches those of the part, over a
// switch that is in neither, and nobody else; and all again once it is healed.
func TestMulticastsStayInAPart(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		lan, hosts := n.LAN(4)
		r := n.Router("router")
		n.Link(lan, r)
		group := netip.MustParseAddr("239.1.2.3")
		receivers := append(hosts[:4:4], &r.Host)
		var all []socket.Socket
		for _, h := range receivers {
			s, err := h.Socket(socket.INET, socket.DGRAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			err = errors.Join(s.Bind(netip.MustParseAddrPort("0.0.0.0:9")),
				socket.Set(s, socket.IP_ADD_MEMBERSHIP, socket.Group{Group: group}),
				socket.Set(s, socket.SO_BROADCAST, 1))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		// reached are those who hear the first host, and then the last.
		reached := func() (heard string) {
			for _, from := range []int{0, 3} {
				for _, to := range []netip.Addr{group, netip.MustParseAddr("255.255.255.255")} {
					if _, err := all[from].SendTo([]byte("x"), 0, netip.AddrPortFrom(to, 9)); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second)
					for i, s := range all {
						if _, err := s.Recv(make([]byte, 1), socket.MSG_DONTWAIT); err == nil && i != from {
							heard += fmt.Sprint(i)
						}
					}
					heard += " "
				}
			}
			return heard
		}
		if got := reached(); got != "1234 1234 0124 0124 " {
			t.Errorf("heard by %q", got)
		}
		heal := n.Partition(hosts[0], hosts[1], hosts[2])
		if got := reached(); got != "12 12 4 4 " {
			t.Errorf("in a part, heard by %q", got)
		}
		inner := n.Partition(hosts[1], hosts[2])
		if got := reached(); got != "  4 4 " {
			t.Errorf("outside of an inner part, heard by %q", got)
		}
		heal()
		if got := reached(); got != "34 34 04 04 " {
			t.Errorf("once the outer part is healed, heard by %q", got)
		}
		inner()
		if got := reached(); got != "1234 1234 0124 0124 " {
			t.Errorf("healed, heard by %q", got)
		}
	})
}
