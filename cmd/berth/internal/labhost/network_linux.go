package labhost

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"example.com/berth/internal/labfile"
	"example.com/berth/internal/labrun"
	"example.com/berth/lab"
)

// maxHosts bounds the hosts of a switch.
const maxHosts = 250

// A network is what the hosts of a lab are on.
type network struct {
	*lab.Network
	shape  string // the fingerprint of its file, "" for a switch
	taken  map[string]bool
	served map[string]bool // hosts that the file runs something on
	end    func() error
}

// newSwitch makes a network that grows with its hosts.
func newSwitch(record int) *network {
	n := &network{Network: lab.New(nil, lab.Record(record)), taken: make(map[string]bool)}
	n.Switch("switch")
	n.end = n.Close
	return n
}

// newShape makes the network of a file, and lets happen what the file says.
func newShape(path string, text []byte, open labfile.Open, record int, after func(*lab.Network) error) (*network, error) {
	f, err := labfile.Parse(path, text, open)
	if err != nil {
		return nil, err
	}
	f.Fake = false
	n := &network{shape: fingerprint(text), taken: make(map[string]bool), served: make(map[string]bool)}
	for i := range f.Commands {
		n.served[f.Commands[i].On] = true
		switch spec := f.Commands[i].Spec.(type) { // these start what answers them
		case *labfile.Perf:
			n.served[spec.Server.Host] = true
		case *labfile.HTTP:
			n.served[spec.Server.Host] = true
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := labrun.Play(ctx, f, labrun.Options{
			Show: silent{}, Record: record, Endless: true,
			Ready: func(made *lab.Network) {
				n.Network = made
				for _, v := range made.Nodes() {
					if h, ok := v.(*lab.Host); ok && !n.served[h.Name()] {
						h.Crash() // until a program has its place
					}
				}
				close(ready)
			},
			After: func(made *lab.Network, _ *labrun.Result) error { return after(made) },
		})
		over <- err
	}()
	n.end = func() error {
		cancel()
		err := <-over
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return err
	}
	select {
	case <-ready:
		return n, nil
	case err := <-over:
		cancel()
		return nil, err
	}
}

// sit gives a host its place.
func (n *network) sit(j join) (*lab.Seat, error) {
	if !ValidName(j.Host) {
		return nil, fmt.Errorf("%q is no name of a host", j.Host)
	}
	if j.Shape != "" && j.Shape != n.shape {
		return nil, fmt.Errorf("the lab is there already, and is not what the file describes")
	}
	if n.taken[strings.ToLower(j.Host)] {
		return nil, fmt.Errorf("there is a host %s already", j.Host)
	}
	h, err := n.find(j.Host)
	if err != nil {
		return nil, err
	}
	seat, err := h.Vacate()
	if err == nil {
		n.taken[strings.ToLower(j.Host)] = true
	}
	return seat, err
}

// find is the host of a name. To a switch anybody may come.
func (n *network) find(name string) (*lab.Host, error) {
	var names []string
	for _, v := range n.Nodes() {
		h, ok := v.(*lab.Host)
		if ok && strings.EqualFold(h.Name(), name) {
			if n.served[h.Name()] {
				return nil, fmt.Errorf("the file itself runs something on %s", h.Name())
			}
			return h, nil
		}
		if ok && !n.served[h.Name()] {
			names = append(names, h.Name())
		}
	}
	switch {
	case n.shape != "":
		return nil, fmt.Errorf("the lab has no host %s; there are %s", name, strings.Join(names, ", "))
	case strings.EqualFold(name, "switch"):
		return nil, fmt.Errorf("%s is the name of the switch that the hosts are at", name)
	case len(names) >= maxHosts:
		return nil, fmt.Errorf("the lab has had %d hosts already", maxHosts)
	}
	h := n.Host(name)
	n.Link(h, n.Node("switch"))
	return h, nil
}

// names are all hosts in the form of hosts(5).
func (n *network) names() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, v := range n.Nodes() {
		h, ok := v.(interface{ Addrs() []netip.Addr })
		if !ok {
			continue
		}
		for _, a := range h.Addrs() {
			fmt.Fprintf(&b, "%v %s\n", a, v.Name())
		}
	}
	return b.String()
}

// writeNames brings the file of names up to date, in place: programs have it open.
func (n *network) writeNames(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	text := n.names()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

// silent is a labrun.Printer that shows nothing.
type silent struct{}

func (silent) Begin(*labrun.Scene) error { return nil }
func (silent) Line(*labrun.Line) error   { return nil }
func (silent) End(*labrun.Result) error  { return nil }
