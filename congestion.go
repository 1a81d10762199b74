package berth

import (
	"slices"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
)

// CongestionControl decides how much a connection may have in flight, and how
// fast it goes out. The connection finds losses and repairs them; the congestion
// control only answers. A program can bring its own, by TCPConfig.Algorithms.
type CongestionControl = tcp.CongestionControl

// An Algorithm is a kind of congestion control, by the name that TCP_CONGESTION
// gives it.
type Algorithm = tcp.Algorithm

// What a CongestionControl is told: of each acknowledgment, of the rate at which
// data arrives, and of the window that it begins with.
type (
	Ack        = tcp.Ack
	RateSample = tcp.RateSample
	Window     = tcp.Window
)

// NoThreshold is the slow start threshold of a CongestionControl that has none.
const NoThreshold = tcp.NoThreshold

// Algorithms returns those that every host has: cubic (RFC 9438, with HyStart++ of
// RFC 9406), reno (RFC 5681), bbr (draft-ietf-ccwg-bbr) and dctcp (RFC 8257).
func Algorithms() []*Algorithm { return tcp.Algorithms() }

// ECN says when connections use explicit congestion notification: classic ECN
// (RFC 3168), by which a receiver tells of one mark in a round trip, or accurate
// ECN (RFC 9768), by which it counts them. Who asks for accurate ECN takes what
// the peer has.
type ECN uint8

// The modes of ECN, with Linux's numbers of tcp_ecn.
const (
	ECNPassive         ECN = iota // grant classic ECN to peers that ask, as Linux by default (2)
	ECNOn                         // ask for classic ECN, and grant it (1)
	ECNOff                        // neither (0)
	ECNAccurate                   // ask for accurate ECN, and grant both (3)
	ECNAccurateGranted            // ask for classic ECN, and grant both (4)
	ECNAccuratePassive            // grant both to peers that ask (5)
)

// AccECNOption says when accurate ECN tells by its TCP option, too, how many bytes
// arrived with which codepoint. With it the peer knows exactly how many were marked,
// whatever acknowledgments are lost, for 12 bytes of a segment. It goes to peers that
// send it, too.
type AccECNOption uint8

// When the option is sent, with Linux's numbers of tcp_ecn_option.
const (
	AccECNOptionAlways AccECNOption = iota // with every segment, as Linux by default (2)
	AccECNOptionNeeded                     // where something changed, and a few times a round trip (1)
	AccECNOptionNever                      // never; the peer's is read (0)
)

// setCongestion takes the settings of congestion control over.
func (cfg *TCPConfig) setCongestion(p *tcp.Params) {
	p.ECN = [...]tcp.ECNMode{
		ECNPassive: tcp.ECNPassive, ECNOn: tcp.ECNOn, ECNOff: tcp.ECNOff,
		ECNAccurate: tcp.ECNAccurate, ECNAccurateGranted: tcp.ECNAccurateGranted, ECNAccuratePassive: tcp.ECNAccuratePassive,
	}[cfg.ECN]
	p.ECNControl = cfg.ECNControl
	p.AccECNOption = [...]tcp.AccECNOption{
		AccECNOptionAlways: tcp.AccECNOptionAlways, AccECNOptionNeeded: tcp.AccECNOptionNeeded, AccECNOptionNever: tcp.AccECNOptionNever,
	}[cfg.AccECNOption]
	p.Algorithms = append(slices.Clone(p.Algorithms), cfg.Algorithms...)
	if cfg.Congestion == "" {
		return
	}
	i := slices.IndexFunc(p.Algorithms, func(a *Algorithm) bool { return a.Name == cfg.Congestion })
	if i < 0 {
		panic("berth: TCPConfig.Congestion: there is no algorithm " + cfg.Congestion)
	}
	first := p.Algorithms[i]
	p.Algorithms = lean.Insert(lean.Remove(p.Algorithms, i), 0, first)
}
