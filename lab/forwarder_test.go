package lab_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// exits are a host and its gateway, which answers for everybody: streams are sent
// back, datagrams too, port 25 is prohibited, and port 23 dropped.
func exits(n *lab.Network, wg *sync.WaitGroup) (*lab.Host, *lab.Host) {
	answer := func(f *berth.Flow) {
		switch f.Dst.Port() {
		case 25:
			f.Prohibit()
			return
		case 23:
			f.Drop()
			return
		}
		s, err := f.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			if f.Protocol == socket.IPPROTO_TCP {
				c := netconn.NewTCPConn(s)
				defer c.Close()
				io.Copy(c, c)
				return
			}
			c := netconn.NewUDPConn(s)
			defer c.Close()
			b := make([]byte, 2000)
			for {
				c.SetReadDeadline(time.Now().Add(time.Second))
				k, err := c.Read(b)
				if err != nil {
					return
				}
				c.Write(b[:k])
			}
		})
	}
	inside := n.Host("inside")
	gateway := n.Host("gateway", lab.Config(func(c *berth.Config) { c.Forwarder = answer }))
	n.Link(inside, gateway, lab.Delay(10*time.Millisecond), lab.Loss(0.05))
	return inside, gateway
}

func exitCapture(t *testing.T) (sum [32]byte) {
	synctest.Test(t, func(t *testing.T) {
		n := lab.New(t, lab.Seed(7))
		var serving, calling sync.WaitGroup
		inside, gateway := exits(n, &serving)
		if err := inside.Stack().AddRoute(berth.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: gateway.Addr()}); err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			calling.Go(func() {
				network, port := "tcp", 80
				switch i % 4 {
				case 1:
					network, port = "udp", 53
				case 2:
					port = 25
				}
				c, err := inside.As(fmt.Sprint(i)).Dial(network, fmt.Sprintf("198.51.100.%d:%d", i, port))
				if err != nil {
					if port != 25 {
						t.Error(err)
					}
					return
				}
				defer c.Close()
				if port == 25 {
					t.Error("what is prohibited was connected")
				}
				out := bytes.Repeat([]byte{byte('a' + i)}, 1000)
				if network == "udp" {
					c.SetReadDeadline(time.Now().Add(time.Second))
				}
				c.Write(out)
				in := make([]byte, len(out))
				if _, err := io.ReadFull(c, in); network == "tcp" && (err != nil || !bytes.Equal(in, out)) {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		calling.Wait()
		serving.Wait()
		time.Sleep(time.Second)
		var b bytes.Buffer
		if err := n.WriteCapture(&b); err != nil {
			t.Fatal(err)
		}
		sum = sha256.Sum256(b.Bytes())
		n.Close()
	})
	return sum
}

// A Forwarder's answers come in an order of their own, whatever the scheduler does
// with the goroutines that give them.
func TestAForwarderGivesTheSamePackets(t *testing.T) {
	runs := 40
	if testing.Short() || raceEnabled {
		runs = 5
	}
	first := exitCapture(t)
	for i := range runs {
		if exitCapture(t) != first {
			t.Fatalf("run %d gave another capture", i+1)
		}
	}
}
