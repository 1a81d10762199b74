package runner

import (
	"fmt"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/internal/box"
	"example.com/berth/link"
)

// join takes the program's place in a lab: its addresses, and the names of all.
func (r *run) join(cfg *box.Config) (err error) {
	if r.seat, err = labhost.Join(r.Lab); err != nil {
		return err
	}
	cfg.Addrs, cfg.Gateways, cfg.MTU = r.seat.Addrs, r.seat.Gateways, r.seat.MTU
	cfg.Veth = r.seat.Medium == link.Ethernet
	cfg.Overlays = []box.Overlay{
		{Path: "/etc/resolv.conf", Text: "# there is no name server in a lab: names are in /etc/hosts\n"},
		{Path: "/etc/hosts", Source: r.seat.Hosts},
	}
	return nil
}

// carry joins the program's wire with the lab.
func (r *run) carry() error {
	if is := r.wire.Info().Medium; is != r.seat.Medium {
		return fmt.Errorf("the program's link in the lab is of %v, which takes /dev/net/tun: only %v can be had", r.seat.Medium, is)
	}
	r.seat.Carry(r.wire, func() { r.tell.say("the lab %s has ended", r.Lab.Lab) })
	return nil
}

// leave gives the place in the lab back, and closes the wire.
func (r *run) leave() error {
	r.seat.Leave()
	if r.wire == nil {
		return nil
	}
	return r.wire.Close()
}
