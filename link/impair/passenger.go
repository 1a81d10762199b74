package impair

import (
	"time"

	"example.com/berth/link"
)

// A passenger is a packet on its way through the stations.
type passenger struct {
	frame  *link.Frame
	kept   *link.Kept // whose frame it is; nil if that is lent
	number uint64
	came   time.Duration
	extra  time.Duration // by which a rule delays it
	fate   fate
	spared bool // a fault was pardoned that would have taken it out of the order
}

// keep makes the passenger outlive the call that lent its frame.
func (p *passenger) keep() { p.own(p.frame.Keep()) }

// copy gives the passenger a frame whose bytes may be changed.
func (p *passenger) copy() {
	k := p.frame.KeepCopy()
	p.release()
	p.own(k)
}

func (p *passenger) own(k *link.Kept) { p.kept, p.frame = k, &k.Frame }

// remark adds to the comment that a capture shows. The frame is the passenger's
// own.
func (p *passenger) remark(s string) { p.kept.Comment = also(p.kept.Comment, s) }

// release gives back what the passenger owns.
func (p *passenger) release() {
	if p.kept != nil {
		p.kept.Release()
		p.kept, p.frame = nil, nil
	}
}

// also joins remarks.
func also(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
