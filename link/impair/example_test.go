package impair_test

import (
	"bytes"
	"fmt"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
)

// A line that loses every tenth packet, by chance: the same ones in each run.
// Without a delay the others are there when Output returns.
func ExampleNew() {
	a, b := wire.Pair()
	dev := impair.New(a, impair.Config{Loss: 0.1, Seed: 1})
	defer dev.Close()
	if err := b.Attach(sink{}); err != nil {
		fmt.Println(err)
	}
	for range 1000 {
		dev.Output([]link.Frame{text("hello")})
	}
	fmt.Println(dev.OutputStats().Lost, "lost,", b.Stats().InFrames, "arrived")
	// Output: 102 lost, 898 arrived
}

// A rule is a plain function on a packet: this one drops the second that says
// hello.
func ExampleRule() {
	hellos := 0
	rule := func(_ time.Duration, f *link.Frame) impair.Verdict {
		if bytes.HasPrefix(f.AppendTo(nil), []byte("hello")) {
			hellos++
		}
		return impair.Verdict{Drop: hellos == 2, Reason: "the second hello"}
	}
	a, b := wire.Pair()
	dev := impair.New(a, impair.Config{
		Rule:    rule,
		Observe: func(e impair.Event) { fmt.Println(e.Comment()) },
	})
	defer dev.Close()
	if err := b.Attach(sink{}); err != nil {
		fmt.Println(err)
	}
	dev.Output([]link.Frame{text("hello 1"), text("hello 2")})
	fmt.Println(b.Stats().InFrames)
	// Output:
	// dropped by a rule: the second hello
	// 1
}
