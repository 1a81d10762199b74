package lab_test

import (
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
	"example.com/berth/netconn"
)

// A stack that the lab knows nothing of takes a host's place: behind a router, over
// a link that takes its time, and back again.
func TestVacate(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		guest, hub, client := n.Host("guest"), n.Router("hub"), n.Host("client")
		n.Link(guest, hub, lab.Delay(10*time.Millisecond), lab.MTU(1400))
		n.Link(client, hub)
		seat, err := guest.Vacate()
		if err != nil {
			t.Fatal(err)
		}
		if info := seat.Device.Info(); info.MTU != 1400 || !info.Up {
			t.Errorf("the place is %+v", info)
		}
		if want := hub.Addrs(); len(seat.Gateways) != 2 || !slices.Contains(want, seat.Gateways[0]) || !slices.Contains(want, seat.Gateways[1]) {
			t.Errorf("the gateways are %v", seat.Gateways)
		}
		stack := berth.NewHost(berth.Config{})
		var addrs []string
		for _, a := range seat.Addrs {
			addrs = append(addrs, a.String())
		}
		must(stack.Attach(seat.Device, addrs...))
		for _, g := range seat.Gateways {
			zero := netip.IPv4Unspecified()
			if g.Is6() {
				zero = netip.IPv6Unspecified()
			}
			if err := stack.AddRoute(berth.Route{Dst: netip.PrefixFrom(zero, 0), Via: g}); err != nil {
				t.Fatal(err)
			}
		}
		ln := must(netconn.Listen(stack, "tcp", ":80"))
		go func() {
			c := must(ln.Accept())
			c.Write([]byte("not the lab's"))
			c.Close()
		}()
		start := time.Now()
		c := must(client.Dial("tcp", "guest:80"))
		b := make([]byte, 100)
		if k, err := c.Read(b); string(b[:k]) != "not the lab's" || err != nil {
			t.Errorf("got %q, %v", b[:k], err)
		}
		if took := time.Since(start); took < 20*time.Millisecond {
			t.Errorf("it took %v: not over the link", took)
		}
		c.Close()
		if err := stack.Close(); err != nil {
			t.Error(err)
		}

		guest.Restart()
		again := must(guest.Listen("tcp", ":80"))
		go func() { must(again.Accept()).Close() }()
		c = must(client.Dial("tcp", "guest:80"))
		if _, err := c.Read(b); err != io.EOF {
			t.Errorf("after Restart: %v", err)
		}
	})
}

func TestVacateWhatCannotBe(t *testing.T) {
	n := lab.New(nil)
	defer n.Close()
	alone, twice, hub := n.Host("alone"), n.Host("twice"), n.Router("hub")
	n.Link(twice, hub)
	n.Link(twice, hub)
	for _, h := range []*lab.Host{alone, twice, &hub.Host} {
		if _, err := h.Vacate(); err == nil {
			t.Errorf("the place of %s is another's", h.Name())
		}
	}
}
