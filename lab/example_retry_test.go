package lab_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"example.com/berth/lab"
)

// ask sends a question until there is an answer, and waits longer each time.
func ask(c net.Conn, question string) (answer string, tries int, err error) {
	b := make([]byte, 512)
	for wait := 100 * time.Millisecond; tries < 20; wait = min(2*wait, 5*time.Second) {
		tries++
		if _, err := c.Write([]byte(question)); err != nil {
			return "", tries, err
		}
		c.SetReadDeadline(time.Now().Add(wait))
		k, err := c.Read(b)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return string(b[:k]), tries, err
		}
	}
	return "", tries, os.ErrDeadlineExceeded
}

func TestRetry(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		oracle, client := n.Host("oracle"), n.Host("client")
		n.Link(oracle, client, lab.Delay(20*time.Millisecond), lab.Loss(0.3))

		questions := must(oracle.ListenPacket("udp", ":4242"))
		go func() {
			b := make([]byte, 512)
			for {
				k, from, err := questions.ReadFrom(b)
				if err != nil {
					return // the network is closed
				}
				questions.WriteTo(append([]byte("certainly: "), b[:k]...), from)
			}
		}()

		retries := 0
		for range 20 {
			c := must(client.Dial("udp", "oracle:4242"))
			start := time.Now()
			answer, tries, err := ask(c, "will it rain?")
			if err != nil || answer != "certainly: will it rain?" {
				t.Errorf("%q after %d tries: %v", answer, tries, err)
			}
			if took := time.Since(start); tries == 1 && took != 40*time.Millisecond {
				t.Errorf("the answer came after %v, want the round trip: 40ms", took)
			}
			retries += tries - 1
			c.Close()
		}
		if retries == 0 {
			t.Error("nothing was asked twice")
		}
	})
}
