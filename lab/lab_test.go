package lab_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
)

func TestTwoHosts(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		web, client := n.Host("web"), n.Host("client")
		n.Link(web, client, lab.Delay(20*time.Millisecond))
		ln, err := web.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			io.Copy(c, c)
		}()
		start := time.Now()
		c, err := client.Dial("tcp", "web:80")
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 40*time.Millisecond {
			t.Errorf("the handshake took %v, want a round trip of 40ms", d)
		}
		fmt.Fprint(c, "hello")
		b := make([]byte, 10)
		got, err := c.Read(b)
		if err != nil || string(b[:got]) != "hello" {
			t.Errorf("read %q, %v", b[:got], err)
		}
		if d := time.Since(start); d != 80*time.Millisecond {
			t.Errorf("the echo came after %v, want 80ms", d)
		}
		c.Close()
	})
}

// program is what the determinism test runs: 20 goroutines on 6 hosts that all
// begin at one instant, some of them with the very same calls.
func program(t *testing.T, n *lab.Network) {
	_, hosts := n.Star(6, lab.Delay(5*time.Millisecond), lab.Jitter(time.Millisecond), lab.Loss(0.05), lab.Rate(10e6), lab.Reorder(0.02, 2))
	var wg sync.WaitGroup
	for _, h := range hosts[:2] {
		ln, err := h.Listen("tcp", ":80")
		if err != nil {
			t.Fatal(err)
		}
		pc, err := h.ListenPacket("udp", ":53")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				wg.Go(func() {
					defer c.Close()
					io.Copy(c, c)
				})
			}
		})
		wg.Go(func() {
			b := make([]byte, 2000)
			for {
				k, from, err := pc.ReadFrom(b)
				if err != nil {
					return
				}
				pc.WriteTo(b[:k], from)
			}
		})
		defer ln.Close()
		defer pc.Close()
	}
	var clients sync.WaitGroup
	for i := range 16 {
		h := hosts[2+i%4]
		clients.Go(func() {
			actor := h.As(fmt.Sprint(i))
			if i%3 == 2 {
				c, err := actor.Dial("udp", "host2:53")
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				for k := range 20 {
					fmt.Fprintf(c, "%d from %d", k, i)
					c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
					c.Read(make([]byte, 100))
				}
				return
			}
			c, err := actor.Dial("tcp", "host1:80")
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			out := bytes.Repeat([]byte{byte('a' + i)}, 20000)
			go c.Write(out)
			in := make([]byte, len(out))
			if _, err := io.ReadFull(c, in); err != nil || !bytes.Equal(in, out) {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	clients.Wait()
	time.Sleep(time.Second)
}

// capture runs the program and returns a digest of its capture.
func capture(t *testing.T, seed uint64) (sum [32]byte, size int) {
	synctest.Test(t, func(t *testing.T) {
		n := lab.New(t, lab.Seed(seed))
		program(t, n)
		var b bytes.Buffer
		if err := n.WriteCapture(&b); err != nil {
			t.Fatal(err)
		}
		sum, size = sha256.Sum256(b.Bytes()), b.Len()
		n.Close()
	})
	return sum, size
}

// The program gives the same capture, byte by byte, in 200 runs on one, two and
// four processors; fewer with -short and with the race detector.
func TestSameSeedSamePackets(t *testing.T) {
	runs := 67
	if testing.Short() || raceEnabled {
		runs = 10
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	first, size := capture(t, 7)
	t.Logf("capture of %d bytes, %x", size, first)
	for _, processors := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(processors)
		for i := range runs {
			if again, size := capture(t, 7); again != first {
				t.Fatalf("on %d processors run %d gave another capture, of %d bytes", processors, i+1, size)
			}
		}
	}
	if other, _ := capture(t, 8); other == first {
		t.Error("another seed gave the same capture")
	}
}
