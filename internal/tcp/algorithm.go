package tcp

import (
	"syscall"
	"time"
)

// An Algorithm is a kind of congestion control.
type Algorithm struct {
	// Name is the name of TCP_CONGESTION.
	Name string
	// New makes the congestion control of a connection whose full segments
	// have that many bytes.
	New func(mss int) CongestionControl
	// ECN: it needs the marks of the network. Its connections ask for ECN
	// whatever Params.ECN says, and tell their peers of every mark (RFC 8257).
	ECN bool
	// Rates: it wants Ack.Rate.
	Rates bool
}

var (
	cubicAlgorithm = &Algorithm{Name: "cubic", New: func(mss int) CongestionControl { return NewCubic(mss) }}
	dctcpAlgorithm = &Algorithm{Name: "dctcp", New: func(mss int) CongestionControl { return NewDCTCP(mss) }, ECN: true}
	bbrAlgorithm   = &Algorithm{Name: "bbr", New: func(mss int) CongestionControl { return NewBBR(mss) }, Rates: true}
	renoAlgorithm  = &Algorithm{Name: "reno", New: func(mss int) CongestionControl { return NewReno(mss) }}
)

// Algorithms returns the algorithms of this package under their names on Linux,
// the default first.
func Algorithms() []*Algorithm {
	return []*Algorithm{cubicAlgorithm, renoAlgorithm, bbrAlgorithm, dctcpAlgorithm}
}

// algorithm returns the algorithm of the connection.
func (c *Conn) algorithm() *Algorithm { return c.opts.algorithm(c.p) }

func (o *Options) algorithm(p *Params) *Algorithm {
	if o.Algorithm != nil {
		return o.Algorithm
	}
	return p.Algorithms[0]
}

// Congestion is TCP_CONGESTION: it returns the name of the algorithm.
func (c *Conn) Congestion() string { return c.algorithm().Name }

// SetCongestion is TCP_CONGESTION. A connection that is under way goes on with
// the window and the threshold that it has. It gives ENOENT for a name that
// Params.Algorithms does not have.
func (c *Conn) SetCongestion(now time.Duration, name string) error {
	for _, a := range c.p.Algorithms {
		if a.Name != name {
			continue
		}
		if c.cc != nil && a != c.algorithm() {
			w := Window{Initial: c.initialWindow(), Cwnd: c.cc.Cwnd(), SSThresh: c.cc.SSThresh()}
			c.cc = a.New(c.snd.mss)
			c.cc.Init(now, w)
		}
		if c.cc != nil && a.Rates {
			c.measureRates()
		}
		o := *c.opts
		o.Algorithm = a
		c.SetOptions(o)
		return nil
	}
	return syscall.ENOENT
}
