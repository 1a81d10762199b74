package pcapng_test

import (
	"bytes"
	"fmt"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/pcapng"
	"example.com/berth/link/wire"
)

// What a link loses is in the capture, too, with the reason.
func ExampleInterface_Record() {
	var file bytes.Buffer
	w := pcapng.NewWriter(&file, pcapng.Options{})
	lost := w.Interface("lost", link.IP, 0)

	a, b := wire.Pair()
	bad := impair.New(a, impair.Config{
		Loss: 0.5,
		Observe: func(e impair.Event) {
			lost.Record(time.Time{}, pcapng.Out, e.Frame, e.Comment())
		},
	})
	dev, other := pcapng.Wrap(bad, w, "a"), pcapng.Wrap(b, w, "b")
	if err := other.Attach(sink{}); err != nil {
		fmt.Println(err)
	}
	for i := range 3 {
		dev.Output([]link.Frame{text(fmt.Sprint("packet ", i))})
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}

	blocks, err := read(file.Bytes())
	for _, p := range packets(blocks) {
		fmt.Println(p)
	}
	fmt.Println(err)
	// Output:
	// 1 out "packet 0"
	// 0 out "packet 0" (lost)
	// 1 out "packet 1"
	// 2 in "packet 1"
	// 1 out "packet 2"
	// 2 in "packet 2"
	// <nil>
}
