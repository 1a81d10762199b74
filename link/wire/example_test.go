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
