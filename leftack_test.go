package berth_test

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/socket"
)

// A reading is a device with a goroutine of its own that brings what comes in, or so
// it says.
type reading struct{ link.Device }

func (reading) Drain() {}

// What a call waits for is acknowledged once it has been read, and so with the whole
// window, where a device's own goroutine has brought it. A call that goes on waiting
// acknowledges it all the same.
func TestWhoWaitsForDataAcknowledgesIt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  socket.Flags
		shrunk bool // the acknowledgment tells of less room
	}{
		{"a call that takes what there is", 0, false},
		{"one that wants more, and takes nothing", socket.MSG_PEEK | socket.MSG_WAITALL, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, st := stationedOn(t, berth.Config{}, func(d link.Device) link.Device { return reading{d} })
				p := playedServerOn(t, h, st, netip.AddrPortFrom(bob4, 1000), 80,
					header.TCPOptions{MSS: 1460, SACKPermitted: true, HasWScale: true})
				segment, buf := strings.Repeat("x", 1460), make([]byte, 10_000)
				for range 20 { // slow start is over for the acknowledgments
					p.send(header.ACK, segment)
					n, err := p.sock.Recv(buf, 0)
					if n != len(segment) || err != nil {
						t.Fatalf("received %d, %v", n, err)
					}
					p.seq = p.seq.Add(n)
				}
				all := st.take(isTCP)
				before, _ := all[len(all)-1].tcp()

				go p.sock.Recv(buf, tt.flags)
				synctest.Wait()
				st.together(func() {
					p.send(header.ACK, segment)
					at := *p
					at.seq = p.seq.Add(len(segment))
					at.send(header.ACK, segment)
				})
				synctest.Wait()
				th, _ := st.one("the acknowledgment", isTCP).tcp()
				if th.Ack != p.seq.Add(2*len(segment)) {
					t.Errorf("acknowledged %d", th.Ack.Sub(p.seq))
				}
				if shrunk := th.Window < before.Window; shrunk != tt.shrunk {
					t.Errorf("a window of %d, which was %d", th.Window, before.Window)
				}
				p.sock.Close()
			})
		})
	}
}
