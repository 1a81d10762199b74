package runner

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"example.com/berth/internal/header"
	"example.com/berth/internal/policy"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// ways are what befalls packets of a line: to the program, and from it.
type ways struct{ down, up impair.Config }

// lines is a device with several lines before it: the general one, and those that
// lead to some destinations. Each is an impair.Device of its own. The line of a flow
// is chosen by its first packet, and its packets overtake only those of other lines.
// It implements link.Device; its handler is called from several goroutines, as that
// of a host may be.
type lines struct {
	link.Device
	find    func(policy.Flow) int // the line of a flow, or -1
	special atomic.Bool           // there are lines besides the general one

	mu     sync.Mutex // guards what follows
	legs   []*leg     // the general one first
	chosen map[policy.Flow]int
	up     link.Handler
}

// maxChosen bounds the flows whose line is remembered. At the bound all are chosen
// again, which for most is the same.
const maxChosen = 16384

// A leg is one line.
type leg struct {
	*impair.Device
	in link.Handler // what takes packets that come in to the line
}

// newLines puts the general line before a device, which it takes over.
func newLines(dev link.Device, general ways, find func(policy.Flow) int) (*lines, error) {
	l := &lines{Device: dev, find: find, chosen: make(map[policy.Flow]int)}
	return l, l.add(general)
}

// add makes one more leg.
func (l *lines) add(w ways) error {
	one := &leg{}
	one.Device = impair.New(beneath{l, one}, w.down)
	if err := one.SetInput(w.up); err != nil {
		return err
	}
	if l.up != nil {
		if err := one.Attach(l.up); err != nil {
			return err
		}
	}
	l.legs = append(l.legs, one)
	return nil
}

// set makes the special lines those, in place of all that there are. Packets on their
// way arrive as they would have.
func (l *lines) set(all []ways) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.chosen)
	for i, w := range all {
		if i+1 < len(l.legs) {
			one := l.legs[i+1]
			err = errors.Join(err, one.SetOutput(w.down), one.SetInput(w.up))
		} else {
			err = errors.Join(err, l.add(w))
		}
	}
	l.special.Store(len(all) > 0)
	return err
}

// Attach implements link.Device.
func (l *lines) Attach(h link.Handler) error {
	l.mu.Lock()
	for _, one := range l.legs {
		if err := one.Attach(h); err != nil {
			l.mu.Unlock()
			return err
		}
	}
	l.up = h
	l.mu.Unlock()
	return l.Device.Attach(inwards{l})
}

// Output implements link.Device: what goes to the program comes from far ends.
func (l *lines) Output(frames []link.Frame) (sent int, err error) {
	if !l.special.Load() {
		return l.legs[0].Output(frames)
	}
	for sent < len(frames) {
		one, n := l.run(frames[sent:], false)
		n, err = one.Output(frames[sent : sent+n])
		if sent += n; err != nil || n == 0 {
			return sent, err
		}
	}
	return sent, nil
}

// inwards is the handler of the device beneath.
type inwards struct{ *lines }

func (w inwards) Input(frames []link.Frame) {
	if !w.special.Load() {
		w.legs[0].in.Input(frames)
		return
	}
	for len(frames) > 0 {
		one, n := w.run(frames, true)
		one.in.Input(frames[:n])
		frames = frames[n:]
	}
}

func (w inwards) Changed() { w.legs[0].in.Changed() }

// run is the leg of the first frame, and how many frames from it on are its own.
func (l *lines) run(frames []link.Frame, outwards bool) (*leg, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.choose(&frames[0], outwards)
	n := 1
	for n < len(frames) && l.choose(&frames[n], outwards) == first {
		n++
	}
	return l.legs[first], n
}

// choose is the leg of a frame. The lock is held.
func (l *lines) choose(f *link.Frame, outwards bool) int {
	var p impair.Packet
	p.Read(f)
	if p.Version == 0 {
		return 0
	}
	flow := policy.Flow{Src: netip.AddrPortFrom(p.Src, p.SrcPort), Dst: netip.AddrPortFrom(p.Dst, p.DstPort)}
	if !outwards {
		flow.Src, flow.Dst = flow.Dst, flow.Src
	}
	switch p.Protocol {
	case header.ProtocolTCP:
		flow.Proto = policy.TCP
	case header.ProtocolUDP:
		flow.Proto = policy.UDP
	case header.ProtocolICMP, header.ProtocolICMPv6:
		flow.Proto = policy.ICMP
	default:
		return 0
	}
	if p.Fragment { // only the first has ports, and all go one way
		flow.Src, flow.Dst = netip.AddrPortFrom(flow.Src.Addr(), 0), netip.AddrPortFrom(flow.Dst.Addr(), 0)
	}
	i, ok := l.chosen[flow]
	if !ok {
		if len(l.chosen) == maxChosen {
			clear(l.chosen)
		}
		i = l.find(flow) + 1
		l.chosen[flow] = i
	}
	return min(i, len(l.legs)-1)
}

// Close implements link.Device. What is on its way is lost.
func (l *lines) Close() error {
	l.mu.Lock()
	legs := l.legs
	l.mu.Unlock()
	err := l.Device.Close()
	for _, one := range legs {
		err = errors.Join(err, one.Device.Close())
	}
	return err
}

// beneath is what a leg has beneath it: the device of all.
type beneath struct {
	*lines
	leg *leg
}

func (b beneath) Attach(h link.Handler) error {
	b.leg.in = h
	return nil
}

func (b beneath) Output(frames []link.Frame) (int, error) { return b.Device.Output(frames) }
func (b beneath) Close() error                            { return nil }
