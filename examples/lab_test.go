package examples

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A logbook is what programs write into.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) contains(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// lossy makes a server, "web", and a client, with a link between them that loses
// one packet in fifty.
func lossy(n *lab.Network) (web, client *lab.Host) {
	web, client = n.Host("web", roomy), n.Host("client", roomy)
	n.Link(web, client, lab.Delay(10*time.Millisecond), lab.Loss(0.02), lab.Rate(10e6))
	return web, client
}

// roomy gives a host send buffers that take all that a test sends.
//
// Fake time stands still while anybody waits for a mutex, and many programs hold
// one while they write (HTTP/2, gRPC, nats.go): a Write that had to wait for an
// acknowledgement would then wait for ever.
var roomy = lab.Config(func(c *berth.Config) {
	c.TCP.SendBuffer = berth.BufferSize{Min: 64 << 20, Default: 64 << 20, Max: 64 << 20}
})
