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

// A client has to send its SYN three times more.
func ExampleDrop() {
	rule := impair.Drop(impair.First(3, impair.All(impair.TCPFlags("S"), impair.DstPort(80))))
	line, err := impair.NewLine(link.IP, impair.Config{Rule: rule})
	if err != nil {
		panic(err)
	}
	for range 5 {
		line.Push(0, []link.Frame{{Payload: segment(4, "S", 0)}})
	}
	fmt.Printf("%d dropped, %d on their way\n", line.Stats().ByRule, line.Stats().OnTheWay)
	// Output: 3 dropped, 2 on their way
}

// A simulator with an event loop of its own drives a line by its own time.
func ExampleLine() {
	line, err := impair.NewLine(link.IP, impair.Config{Rate: 12_000_000, Delay: 10 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	for range 3 {
		line.Push(0, []link.Frame{{Payload: make([]byte, 1500)}})
	}
	batch := make([]*link.Kept, 0, 16)
	for at, ok := line.Next(); ok; at, ok = line.Next() {
		batch = line.Take(at, batch[:0])
		for _, k := range batch {
			fmt.Println(at, k.Len())
			k.Release()
		}
	}
	// Output:
	// 11ms 1500
	// 12ms 1500
	// 13ms 1500
}

func ExampleProfile() {
	dsl, err := impair.Profile("dsl")
	if err != nil {
		panic(err)
	}
	fmt.Println(dsl.Name, dsl.Down.Rate, dsl.Up.Rate, dsl.Down.Delay+dsl.Up.Delay)
	// Output: DSL 1500000 384000 50ms
}
