package berth_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"unsafe"

	"example.com/berth/socket"
)

// The goroutine that serves a connection has its stack grown when it has received
// something, and not again, far down, when it answers and the peer's acknowledgment
// comes back on the same goroutine.
func TestAServersStackGrowsOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("frames are larger")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector shrinks stacks
	alice, bob := pair(t)
	client, server := connected(t, alice, bob, bob4)
	if _, err := client.Send([]byte{'q'}, 0); err != nil {
		t.Fatal(err)
	}
	moved := make(chan bool)
	go func() {
		var callers [640]byte // what may be on the stack already
		defer func() { runtime.KeepAlive(&callers) }()
		buf := make([]byte, 1)
		_, err := server.Recv(buf, 0)
		before := stackPlace()
		if err == nil {
			_, err = server.Send(buf, 0)
		}
		if err != nil {
			t.Error(err)
		}
		moved <- before != stackPlace()
	}()
	if <-moved {
		t.Error("the stack grew while it answered")
	}
	if _, err := client.Recv(make([]byte, 1), socket.MSG_DONTWAIT); err != nil {
		t.Error(err)
	}
}

// stackPlace is where its caller's frame is, in bytes below an origin that is unknown.
//
//go:noinline
func stackPlace() uintptr {
	var here byte
	return uintptr(unsafe.Pointer(&here))
}
