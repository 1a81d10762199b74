package wire_test

import (
	"fmt"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

// printer is a handler that prints what comes in.
type printer string

func (p printer) Input(frames []link.Frame) {
	for i := range frames {
		fmt.Printf("%s: %s\n", string(p), frames[i].AppendTo(nil))
	}
}
func (printer) Changed() {}

func ExamplePair() {
	a, b := wire.Pair(wire.MTU(9000))
	defer a.Close()
	defer b.Close()
	if err := b.Attach(printer("b")); err != nil {
		fmt.Println(err)
	}
	n, err := a.Output([]link.Frame{{Payload: []byte("hello")}})
	fmt.Println(n, err)
	// Output:
	// b: hello
	// 1 <nil>
}

// A switch sends a frame to everybody until it knows where its station is.
func ExampleNewSwitch() {
	s := wire.NewSwitch()
	a, b, c := s.Port(), s.Port(), s.Port()
	for _, p := range []*wire.Device{a, b, c} {
		defer p.Close()
		if err := p.Attach(quiet{}); err != nil {
			fmt.Println(err)
		}
	}
	send := func(from, to *wire.Device) {
		dst, src := to.Info().Addr, from.Info().Addr
		head := append(append(dst[:], src[:]...), 0x88, 0xb5) // an EtherType for experiments
		from.Output([]link.Frame{{Head: head, Payload: []byte("hello")}})
		fmt.Println("b:", b.Stats().InFrames, "c:", c.Stats().InFrames)
	}
	send(a, b)
	send(b, a) // now b is known
	send(a, b)
	// Output:
	// b: 1 c: 1
	// b: 1 c: 1
	// b: 2 c: 1
}

// quiet is a handler that does nothing.
type quiet struct{}

func (quiet) Input([]link.Frame) {}
func (quiet) Changed()           {}
