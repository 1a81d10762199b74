package tcp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/siphash"
)

// SYN cookies (RFC 4987 3.6): under a flood of SYNs a listener remembers nothing.
// What it has to know of a handshake it puts into the initial sequence number and
// the timestamp of the SYN,ACK, and takes it out of the acknowledgment.
//
// The sequence number is a keyed hash of both ends, the peer's sequence number
// and the minute, plus one of four segment sizes. The lowest bits of the timestamp
// are the peer's window scale, and whether it can SACK and asked for ECN (as
// Linux); a peer without timestamps goes without. Two values in 2^32 times four
// sizes are good at a time, so that one guess in 2^29 finds one, and a listener
// looks at none unless it sent a cookie in the last two minutes.
//
// Accurate ECN needs no room: the flags of the acknowledgment say that it was agreed
// on, for a peer with classic ECN or none has not these values (RFC 9768 5.1).
const (
	cookieMinute = time.Minute
	// cookieAges is for how many minutes, counting that in which it was made, a
	// cookie is good.
	cookieAges = 2
	// CookieLife is how long a cookie is good at most.
	CookieLife = cookieAges * cookieMinute
)

// The segment sizes that a cookie can tell, in steps that lose little for the
// usual ones (as Linux; the greatest not above the peer's is taken).
var (
	cookieMSS4 = [4]uint16{536, 1300, 1440, 1460}
	cookieMSS6 = [4]uint16{1220, 1420, 1440, 8940}
)

// Bits of the timestamp.
const (
	cookieNoWScale = 0xf
	cookieSACK     = 1 << 4
	cookieECN      = 1 << 5
	cookieBits     = 1<<6 - 1
)

// cookieAccurate is the least value of the ACE field in an acknowledgment that ends a
// handshake with accurate ECN (RFC 9768 5.1).
const cookieAccurate = 0b010

// A CookieJar makes and recognizes cookies.
type CookieJar struct {
	Params *Params
	Key    siphash.Key
}

// sum is the keyed hash.
func (j *CookieJar) sum(local, remote netip.AddrPort, irs seqnum.Value, minute int64) seqnum.Value {
	var b [48]byte
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(b[0:], l[:])
	copy(b[16:], r[:])
	binary.BigEndian.PutUint16(b[32:], local.Port())
	binary.BigEndian.PutUint16(b[34:], remote.Port())
	binary.BigEndian.PutUint32(b[36:], uint32(irs))
	binary.BigEndian.PutUint64(b[40:], uint64(minute))
	return seqnum.Value(siphash.Sum64(j.Key, b[:]))
}

func cookieSizes(a netip.Addr) *[4]uint16 {
	if a.Is4() {
		return &cookieMSS4
	}
	return &cookieMSS6
}

// SynAck makes the SYN,ACK with a cookie that answers a SYN at a listener with
// these options. Nothing is to be kept of it. o.ISS is not used.
func (j *CookieJar) SynAck(now time.Duration, local, remote netip.AddrPort, o Opening, syn *Segment, opts *Options, out *Segment) {
	*out = Segment{}
	j.Params.decline(&syn.Options)
	t := terms{p: j.Params, opts: opts, mtu: o.MTU, ipv6: o.IPv6}
	t.synAck(&syn.Options, out)
	sizes, mss := cookieSizes(remote.Addr()), syn.Options.MSS
	if mss == 0 {
		mss = uint16(t.defaultMSS())
	}
	i := len(sizes) - 1
	for i > 0 && sizes[i] > mss {
		i--
	}
	out.Seq = j.sum(local, remote, syn.Seq, int64(now/cookieMinute)).Add(i)
	out.Ack = syn.Seq.Add(1)
	accurate := j.Params.grantsAccurate(syn.Flags)
	if accurate {
		out.Flags |= withACE(handshakeACE[syn.ECN])
	}
	if !syn.Options.HasTS { // nothing else can carry these
		out.Options.HasWScale, out.Options.WScale, out.Options.SACKPermitted = false, 0, false
		return
	}
	bits := uint32(cookieNoWScale)
	if syn.Options.HasWScale {
		bits = uint32(min(syn.Options.WScale, maxWScale))
	}
	if syn.Options.SACKPermitted {
		bits |= cookieSACK
	}
	if !accurate && syn.has(ecnSetup) && j.Params.grantsECN(opts) {
		bits |= cookieECN
		out.Flags |= header.ECE
	}
	out.Options.TSVal, out.Options.TSEcr = cookieClock(now, bits)+o.TSOffset, syn.Options.TSVal
}

// cookieClock is the timestamp clock with its lowest bits replaced, and not ahead
// of itself.
func cookieClock(now time.Duration, bits uint32) uint32 {
	clock := uint32(now / tsTick)
	ts := clock&^cookieBits | bits
	if int32(ts-clock) > 0 {
		ts -= cookieBits + 1
	}
	return ts
}

// Open returns the connection whose handshake an acknowledgment ends that carries
// a cookie, in SYN-RECEIVED state; it is then to have the segment. It returns nil
// if there is no cookie in it, or none that is still good. What its options say
// was agreed on is believed to the extent that it concerns the peer alone.
func (j *CookieJar) Open(now time.Duration, local, remote netip.AddrPort, o Opening, ack *Segment, opts *Options) *Conn {
	if ack.Flags&(header.SYN|header.RST|header.ACK) != header.ACK {
		return nil
	}
	irs, cookie := ack.Seq.Add(-1), ack.Ack.Add(-1)
	mss, ok := j.check(now, local, remote, irs, cookie)
	if !ok {
		return nil
	}
	syn := Segment{Seq: irs, Flags: header.SYN, Window: ack.Window, Options: header.TCPOptions{MSS: mss}}
	if ts := &ack.Options; ts.HasTS {
		bits := ts.TSEcr - o.TSOffset
		syn.Options.HasTS, syn.Options.TSVal = true, ts.TSVal
		syn.Options.SACKPermitted = bits&cookieSACK != 0
		if scale := bits & cookieNoWScale; scale != cookieNoWScale {
			syn.Options.HasWScale, syn.Options.WScale = true, uint8(scale)
		}
		if bits&cookieECN != 0 {
			syn.Flags |= ecnSetup
		}
	}
	if ace(ack.Flags) >= cookieAccurate && j.Params.ECN >= ECNAccurate {
		syn.Flags |= aceFlags
	}
	o.ISS = cookie
	c := Passive(j.Params, now, o, &syn, opts)
	c.synAckSent(0)
	return c
}

// check tells whether a cookie was made for these ends lately, and for what
// segment size.
func (j *CookieJar) check(now time.Duration, local, remote netip.AddrPort, irs, cookie seqnum.Value) (mss uint16, ok bool) {
	sizes, minute := cookieSizes(remote.Addr()), int64(now/cookieMinute)
	for age := range int64(cookieAges) {
		if i := uint32(cookie - j.sum(local, remote, irs, minute-age)); i < uint32(len(sizes)) {
			return sizes[i], true
		}
	}
	return 0, false
}
