package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
)

// beat sends a heartbeat every second, until the context ends.
func beat(ctx context.Context, c net.Conn) {
	for {
		c.Write([]byte("alive"))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}

// watch reports on a peer: "up" with a heartbeat, "down" after three seconds
// without one.
func watch(c net.PacketConn, report func(state string)) {
	last := ""
	for {
		c.SetReadDeadline(time.Now().Add(3 * time.Second))
		state := "up"
		if _, _, err := c.ReadFrom(make([]byte, 16)); errors.Is(err, os.ErrDeadlineExceeded) {
			state = "down"
		} else if err != nil {
			return
		}
		if state != last {
			last = state
			report(state)
		}
	}
}

func TestPartition(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		_, hosts := n.Star(3, lab.Delay(50*time.Millisecond))
		monitor, peer := hosts[0], hosts[1]

		var log []string
		start := time.Now()
		go watch(must(monitor.ListenPacket("udp", ":9000")), func(state string) {
			log = append(log, fmt.Sprint(state, " after ", time.Since(start)))
		})
		go beat(t.Context(), must(peer.Dial("udp", "host1:9000")))

		time.Sleep(time.Minute + 500*time.Millisecond)
		heal := n.Partition(peer) // all others are on the other side
		time.Sleep(time.Hour)
		heal()
		time.Sleep(time.Minute)
		synctest.Wait() // until the monitor waits, too

		want := []string{"up after 100ms", "down after 1m3.1s", "up after 1h1m1.1s"}
		if !slices.Equal(log, want) {
			t.Errorf("the monitor saw %q, want %q", log, want)
		}
	})
}
