package gateway_test

import (
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"example.com/berth/internal/gateway"
)

// Connections that end in every way, from either side and at any moment, leave
// nothing behind.
func TestChurn(t *testing.T) {
	var mu sync.Mutex
	seeds := rand.New(rand.NewPCG(1, 2))
	dice := func() *rand.Rand {
		mu.Lock()
		defer mu.Unlock()
		return rand.New(rand.NewPCG(seeds.Uint64(), 0))
	}
	at := serve(t, "tcp4", func(c net.Conn) { endSomehow(c, dice()) })
	p := behind(t, gateway.Config{})
	var calling sync.WaitGroup
	for range 16 {
		calling.Go(func() {
			r := dice()
			for range 25 {
				if c, err := p.tryDial("tcp", netip.AddrPortFrom(loop4, at.Port())); err == nil {
					endSomehow(c, r)
				}
			}
		})
	}
	calling.Wait()
	// (The world may reset a connection before it is there: then it has failed.)
	p.events.waitFor(int(p.g.Stats().Begun), gateway.Ended, gateway.Failed)
	if s := p.g.Stats(); s.DroppedFlows != 0 {
		t.Errorf("%+v", s)
	}
}

// endSomehow says and hears a little and ends a connection in one of the ways that
// there are.
func endSomehow(c net.Conn, r *rand.Rand) {
	c.SetDeadline(time.Now().Add(50 * time.Millisecond)) // where both want to hear
	b := make([]byte, 20_000)
	for range r.IntN(4) {
		if r.IntN(2) == 0 {
			c.Write(b[:r.IntN(len(b))])
		} else {
			c.Read(b)
		}
	}
	switch r.IntN(4) {
	case 0:
		c.(interface{ SetLinger(int) error }).SetLinger(0)
	case 1:
		c.(interface{ CloseWrite() error }).CloseWrite()
		io.Copy(io.Discard, c)
	case 2:
		c.(interface{ CloseRead() error }).CloseRead()
	}
	c.Close()
}
