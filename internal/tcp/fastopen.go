package tcp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/siphash"
	"example.com/berth/socket"
)

// TCP Fast Open (RFC 7413): data goes with the SYN, for a cookie by which the
// server knows that the client gets what is sent to its address.
//
// A SYN that is sent again goes without (4.1.3, 4.2.1), since something on the way
// may drop SYNs with data. What the peer then, or for another reason, has not
// acknowledged is sent as all other data. A server that gets a SYN twice, once it
// has forgotten the first connection, delivers its data twice: programs have to
// bear that (section 2.1).

// fastOpen is what a connection knows that was opened so.
type fastOpen struct {
	_ lean.Incomparable

	option  header.FastOpen // of our SYN or SYN,ACK
	data    int             // bytes in our SYN
	tried   bool            // our SYN had data or the option
	acked   bool            // the peer took the data of the SYN: its own or ours
	failure FastOpenFailure
	outcome *FastOpenOutcome // not yet taken
}

// taken tells whether the data of a SYN was taken; failed why nothing was saved.
func (f *fastOpen) taken() bool { return f != nil && f.acked }

func (f *fastOpen) failed() uint8 {
	if f == nil {
		return 0
	}
	return uint8(f.failure)
}

// FastOpenFailure is why a client's Fast Open did not save a round trip, with the
// values of tcpi_fastopen_client_fail.
type FastOpenFailure uint8

// The failures.
const (
	FastOpenNoFailure     FastOpenFailure = iota // none, or not tried
	FastOpenNoCookie                             // there was no cookie
	FastOpenDataNotAcked                         // the SYN,ACK acknowledged the SYN alone
	FastOpenRetransmitted                        // and was the answer to a SYN without data
)

// FastOpenOutcome is what a client learned from a handshake.
type FastOpenOutcome struct {
	// Cookie is the option in the SYN,ACK.
	Cookie header.FastOpen
	// MSS is the one in the SYN,ACK.
	MSS uint16
	// NoAnswer: a cookie was asked for in the form Asked, and not given.
	NoAnswer bool
	Asked    header.FastOpen
	// BlackHole: SYNs or what followed them were lost time and again; it may
	// be for the data in the SYN. The other fields mean nothing.
	BlackHole bool
}

// FastOpen makes the SYN, which has not been sent yet, one that carries data and
// an option: a cookie, or a request for one, or nothing between hosts that trust
// each other. It returns how many bytes of bufs the SYN takes: none with a request,
// and with a cookie as many as fit a segment of the MSS that the peer is known to
// have; 0 means the default. It is to be called right after Connect.
func (c *Conn) FastOpen(option header.FastOpen, mss uint16, bufs ...[]byte) int {
	f := &fastOpen{option: option, tried: true}
	c.need().fast = f
	if option.Present && option.Len == 0 {
		f.failure = FastOpenNoCookie
		return 0
	}
	// As on Linux, all room for options is left free, for what boxes on the way
	// may add.
	room := min(c.mtuMSS(), int(c.advertisedMSS()))
	if mss != 0 {
		room = min(room, int(mss))
	}
	if c.sndBuf < room {
		room = c.sndBuf
	}
	room -= header.TCPOptionsMax + c.ipOptions()
	for _, b := range bufs {
		n := min(len(b), room-f.data)
		if n <= 0 {
			break
		}
		n = c.sendQ.append(b[:n], false, maxWindow, c.p.SndBuf.Min, c.p.Budget)
		f.data += n
	}
	return f.data
}

// HoldSYN has the SYN wait for FastOpen, and SendSYN: a connect that waits for the
// first data (TCP_FASTOPEN_CONNECT).
func (c *Conn) HoldSYN() { c.synDue = false }

// SendSYN sends the SYN that was held.
func (c *Conn) SendSYN() { c.synDue = true }

// addFastOpen puts option and data into the SYN, or the option into the SYN,ACK;
// not into one that is sent again, and not where keys leave no room for a cookie.
func (c *Conn) addFastOpen(out *Segment) {
	f := c.seldom().fast
	if f == nil || c.retries > 0 || c.seldom().auth != nil || c.state == socket.TCP_SYN_RECV && !c.passive {
		return
	}
	out.Options.FastOpen = f.option
	if c.state == socket.TCP_SYN_SENT && f.data > 0 {
		out.Payload, out.Buffer = c.sendQ.slice(c.iss.Add(1), f.data, f.data)
		c.snd.nxt = c.iss.Add(1 + f.data)
	}
}

// fastOpenAnswered takes the SYN,ACK: what it acknowledges of the data is done
// with, and what not will be sent as if it never had been.
func (c *Conn) fastOpenAnswered(seg *Segment) {
	f := c.seldom().fast
	if f == nil {
		return
	}
	c.sendQ.acked(seg.Ack, c.p.Budget)
	taken := seg.Ack.Sub(c.iss.Add(1))
	c.stats.bytesAcked += uint64(taken)
	c.snd.nxt = seg.Ack
	if f.data > 0 && taken == f.data {
		f.acked = true
		c.p.Counters.FastOpenActive.Add(1)
	} else if f.data > 0 {
		f.failure = FastOpenDataNotAcked
		if c.retries > 0 {
			f.failure = FastOpenRetransmitted
		}
		c.p.Counters.FastOpenActiveFail.Add(1)
		r := c.need()
		r.retrans++
		r.bytesRetrans += uint64(f.data - taken)
	}
	f.outcome = &FastOpenOutcome{MSS: seg.Options.MSS, Asked: f.option}
	if f.option.Present { // as Linux: others are not wanted
		f.outcome.Cookie = seg.Options.FastOpen
	}
	f.outcome.NoAnswer = !f.outcome.Cookie.Present && f.data == 0 && f.option.Present && c.retries == 0
}

// suspectBlackHole says so after the third time-out in a row of a connection that
// was opened with data or an option in its SYN, or at its end for such time-outs
// (Linux: tcp_fastopen_active_detect_blackhole).
func (c *Conn) suspectBlackHole(expired bool) {
	f := c.seldom().fast
	if f != nil && !c.passive && f.tried && (c.retries == 2 || c.retries < 2 && expired) {
		c.p.Counters.FastOpenBlackHoles.Add(1)
		f.outcome = &FastOpenOutcome{BlackHole: true}
	}
}

// HasFastOpenOutcome tells whether TakeFastOpenOutcome has something to return.
func (c *Conn) HasFastOpenOutcome() bool {
	return c.rare != nil && c.rare.fast != nil && c.rare.fast.outcome != nil
}

// TakeFastOpenOutcome returns what was learned, once.
func (c *Conn) TakeFastOpenOutcome() (FastOpenOutcome, bool) {
	f := c.seldom().fast
	if f == nil || f.outcome == nil {
		return FastOpenOutcome{}, false
	}
	o := *f.outcome
	f.outcome = nil
	return o, true
}

// PassiveFast returns the connection in SYN-RECEIVED state for a SYN whose cookie
// is good (RFC 7413 4.2.2): it has taken the data of the SYN, and may be read from
// and written to. Its SYN,ACK carries an option if answer has one.
func PassiveFast(p *Params, now time.Duration, o Opening, syn *Segment, opts *Options, answer header.FastOpen) *Conn {
	o.Announced = true
	c := Passive(p, now, o, syn, opts)
	c.early = true
	c.need().fast = &fastOpen{option: answer, acked: len(syn.Payload) > 0}
	c.beginTransfer(now)
	p.Counters.FastOpenPassive.Add(1)
	text := *syn
	text.Flags &^= header.SYN
	text.Seq++
	c.trim(&text)
	c.takeText(now, &text)
	c.rcv.edge = c.rcv.nxt.Add(c.initialRcvWnd())
	return c
}

// Fast tells whether PassiveFast made the connection.
func (c *Conn) Fast() bool { return c.early }

// FastOpenKeys make a server's cookies: with the first key, and they are good with
// any (RFC 7413 4.1.2).
type FastOpenKeys []siphash.Key

// ParseFastOpenKeys takes the keys of TCP_FASTOPEN_KEY: 16 bytes each, one or two.
func ParseFastOpenKeys(b []byte) (keys FastOpenKeys, ok bool) {
	if len(b) != 16 && len(b) != 32 {
		return nil, false
	}
	for ; len(b) > 0; b = b[16:] {
		keys = append(keys, siphash.Key{K0: binary.LittleEndian.Uint64(b), K1: binary.LittleEndian.Uint64(b[8:])})
	}
	return keys, true
}

// Bytes is the inverse of ParseFastOpenKeys.
func (k FastOpenKeys) Bytes() (b []byte) {
	for _, key := range k {
		b = binary.LittleEndian.AppendUint64(b, key.K0)
		b = binary.LittleEndian.AppendUint64(b, key.K1)
	}
	return b
}

// cookie is a key's cookie for a client: Linux's, so that servers of both kinds can
// share a key.
func (k FastOpenKeys) cookie(i int, local, remote netip.Addr) (o header.FastOpen) {
	b := append(remote.Unmap().WithZone("").AsSlice(), local.Unmap().WithZone("").AsSlice()...)
	o.Present, o.Len = true, 8
	binary.LittleEndian.PutUint64(o.Cookie[:], siphash.Sum64(k[i], b))
	return o
}

// Judge decides about the option of a SYN. If it is a good cookie, the connection
// may be opened fast; in any case the SYN,ACK carries answer.
func (k FastOpenKeys) Judge(local, remote netip.Addr, got header.FastOpen) (answer header.FastOpen, good bool) {
	if !got.Present {
		return header.FastOpen{}, false
	}
	answer = k.cookie(0, local, remote)
	answer.Experimental = got.Experimental
	for i := range k {
		want := k.cookie(i, local, remote)
		want.Experimental = got.Experimental
		if got != want {
			continue
		}
		if i == 0 {
			answer = header.FastOpen{} // the client has it already
		}
		return answer, true
	}
	return answer, false
}
