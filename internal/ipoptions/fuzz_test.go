package ipoptions

import (
	"net/netip"
	"testing"

	"example.com/berth/internal/header"
)

func seed(f *testing.F) {
	for _, tt := range compileTests {
		f.Add([]byte(tt.text))
	}
	f.Add([]byte("\x83\x0b\x0c" + them4 + hop1 + "\x00"))
	f.Add([]byte("\x44\x10\x05\x03" + us4 + zero + zero))
}

// DEF-21: options that a program may have sent are ones that every host takes,
// whoever writes to them.
func FuzzCompile(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Compile(string(b))
		if err != nil {
			return
		}
		wire := o.Append(nil, them, us, 1)
		if len(wire) != o.Len() || len(wire) > MaxLen || len(wire)%4 != 0 || len(wire) < len(b) {
			t.Fatalf("%d bytes of %d", len(wire), len(b))
		}
		again, err := Compile(o.String())
		if err != nil || string(again.Append(nil, them, us, 1)) != string(wire) {
			t.Fatalf("read back % x: %v", o.String(), err)
		}
		if o.HasRoute() {
			var r Received
			if _, ok := r.Parse(wire, us); !ok {
				return // written to, there is half a place left in a list
			}
			if last, ok := r.Final(); !ok || last != them {
				t.Fatalf("the route ends at %v", last)
			}
		}
	})
}

// DEF-21: whatever comes is read, followed, written to and turned round within its
// bounds, and a way back is one that may be sent.
func FuzzReceived(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), MaxLen)&^3]
		var r Received
		at, ok := r.Parse(b, them)
		if !ok {
			if at < header.IPv4MinLen || at >= header.IPv4MaxLen {
				t.Fatalf("pointer %d", at)
			}
			return
		}
		next, on, _ := r.NextHop(isUs)
		if on {
			r.Follow(next, us)
		}
		r.Write(us, 1, isUs)
		r.Write(us, 2, func(netip.Addr) bool { return true })
		if len(r.Bytes()) != len(b) {
			t.Fatalf("%d bytes of %d", len(r.Bytes()), len(b))
		}
		if o, err := Compile(r.ReturnRoute()); err != nil || o != nil && !o.HasRoute() {
			t.Fatalf("way back % x: %v", r.ReturnRoute(), err)
		}
		if len(r.Return()) > MaxLen {
			t.Fatalf("% x goes back", r.Return())
		}
	})
}
