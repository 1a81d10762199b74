package nets

import (
	"sync/atomic"

	"example.com/berth/bench/internal/emul"
	"example.com/berth/link"
)

// berthLine is one end of an emulated path as a device of berth's. It has no
// offloads: every frame is a packet with its checksums.
type berthLine struct {
	handler atomic.Pointer[link.Handler]
	peer    *berthLine
	line    *emul.Line[*link.Kept] // to the peer
	frames  []link.Frame           // of the goroutine that delivers
}

func newBerthLine(p emul.Params) (a, b *berthLine) {
	a, b = &berthLine{}, &berthLine{}
	a.peer, b.peer = b, a
	for i, d := range []*berthLine{a, b} {
		d.line = emul.New(p.Direction(uint64(i+1)), d.peer.receive, (*link.Kept).Release)
	}
	return a, b
}

// Info implements link.Device.
func (d *berthLine) Info() link.Info { return link.Info{Medium: link.IP, MTU: 1500, Up: true} }

// Attach implements link.Device.
func (d *berthLine) Attach(h link.Handler) error {
	d.handler.Store(&h)
	return nil
}

// Output implements link.Device.
func (d *berthLine) Output(frames []link.Frame) (int, error) {
	for i := range frames {
		d.line.Send(frames[i].Keep(), frames[i].Len())
	}
	return len(frames), nil
}

// Close implements link.Device. A path lives as long as the process.
func (d *berthLine) Close() error { return nil }

// receive hands a batch to the host. Lines deliver from one goroutine each.
func (d *berthLine) receive(batch []*link.Kept) {
	d.frames = d.frames[:0]
	for _, k := range batch {
		d.frames = append(d.frames, k.Frame)
	}
	if h := d.handler.Load(); h != nil {
		(*h).Input(d.frames)
	}
	for _, k := range batch {
		k.Release()
	}
	clear(d.frames)
}
