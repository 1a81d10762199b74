package header

import (
	"encoding/binary"

	"example.com/berth/internal/seqnum"
)

// Kinds of TCP options (RFC 9293 3.2, RFC 7323, RFC 2018).
const (
	tcpOptionEnd           = 0
	tcpOptionNop           = 1
	tcpOptionMSS           = 2
	tcpOptionWScale        = 3
	tcpOptionSACKPermitted = 4
	tcpOptionSACK          = 5
	tcpOptionTimestamps    = 8
	tcpOptionFastOpen      = 34 // RFC 7413 4.1.1
	tcpOptionAccECN0       = 172
	tcpOptionAccECN1       = 174
	tcpOptionExperiment    = 254 // RFC 4727, shared by a magic number (RFC 6994)
)

// fastOpenExperiment is the magic number of Fast Open as it was before it had an
// option of its own.
const fastOpenExperiment = 0xf989

// TCPOptionsMax is the room for options in a TCP header.
const TCPOptionsMax = TCPMaxLen - TCPMinLen

// SACKBlock is a run of received bytes: from Left up to but not including Right
// (RFC 2018 3).
type SACKBlock struct{ Left, Right seqnum.Value }

// TCPOptions are the options of a TCP header. The zero value has none.
type TCPOptions struct {
	// MSS is the largest segment that the sender takes; 0 if it does not say.
	MSS           uint16
	HasWScale     bool
	WScale        uint8 // as sent; more than 14 means 14 (RFC 7323 2.3)
	SACKPermitted bool
	HasTS         bool
	// Malformed: the length of an option was impossible, and what followed it
	// was not read. Set only by parsing.
	Malformed    bool
	TSVal, TSEcr uint32
	// SACK holds the first SACKCount blocks.
	SACK      [4]SACKBlock
	SACKCount int
	FastOpen  FastOpen
	AccECN    AccECN
	Auth      TCPAuth
}

// Sizes of options as they are encoded, aligned to 4 bytes.
const (
	mssAligned           = 4
	wscaleAligned        = 4
	sackPermittedAligned = 4
	timestampsAligned    = 12
	sackAligned          = 4 // and 8 a block
)

// Len returns the length that Append encodes, a multiple of 4.
func (o *TCPOptions) Len() int {
	n, blocks := o.layout()
	if blocks > 0 {
		n += sackAligned + 8*blocks
	}
	return n
}

// Blocks returns how many of the SACK blocks find room.
func (o *TCPOptions) Blocks() int {
	_, blocks := o.layout()
	return blocks
}

// layout returns the length of all options but SACK, and how many SACK blocks find
// room behind them.
func (o *TCPOptions) layout() (before, blocks int) {
	n := o.fixed()
	if o.AccECN.Order == AccECNNone && o.SACKCount == 0 {
		return n, 0
	}
	before = n + o.AccECN.aligned(o.nopsBehindAccECN(o.SACKCount > 0))
	if blocks = o.sackBlocks(before); blocks > 0 || o.SACKCount == 0 {
		return before, max(blocks, 0)
	}
	return n + o.AccECN.aligned(o.nopsBehindAccECN(false)), 0
}

// fixed is the length of the options that stand by themselves.
func (o *TCPOptions) fixed() int {
	n := 0
	if o.Auth.Kind != TCPAuthNone {
		n = o.Auth.aligned()
	}
	if o.MSS != 0 {
		n += mssAligned
	}
	if o.HasTS {
		n += timestampsAligned
	} else if o.SACKPermitted {
		n += sackPermittedAligned
	}
	if o.HasWScale {
		n += wscaleAligned
	}
	if o.FastOpen.Present {
		n += o.FastOpen.aligned()
	}
	return n
}

// nopsBehindAccECN is how many NOPs begin what follows the AccECN option; sack says
// whether there are SACK blocks.
func (o *TCPOptions) nopsBehindAccECN(sack bool) int {
	switch {
	case o.AccECN.Order == AccECNNone:
		return 0
	case o.SACKPermitted && !o.HasTS:
		return 2
	case o.HasWScale:
		return 1
	case sack && !o.FastOpen.Present:
		return 2
	}
	return 0
}

// sackBlocks says how many blocks fit behind used bytes of other options.
func (o *TCPOptions) sackBlocks(used int) int {
	return min(o.SACKCount, len(o.SACK), (TCPOptionsMax-used-sackAligned)/8)
}

// Append appends the encoded options in the order and with the padding of
// Linux, so that receivers which expect the usual layouts find them: what
// authenticates, with room for its code, MSS, SACK permitted and timestamps,
// AccECN, window scale, Fast Open, SACK. Blocks that find no room are left out.
func (o *TCPOptions) Append(b []byte) []byte {
	if o.Auth.Kind != TCPAuthNone {
		b = o.Auth.append(b)
	}
	if o.MSS != 0 {
		b = append(b, tcpOptionMSS, 4, uint8(o.MSS>>8), uint8(o.MSS))
	}
	if o.HasTS {
		if o.SACKPermitted {
			b = append(b, tcpOptionSACKPermitted, 2, tcpOptionTimestamps, 10)
		} else {
			b = append(b, tcpOptionNop, tcpOptionNop, tcpOptionTimestamps, 10)
		}
		b = binary.BigEndian.AppendUint32(b, o.TSVal)
		b = binary.BigEndian.AppendUint32(b, o.TSEcr)
	}
	spared := 0 // of the NOPs that come next
	if o.AccECN.Order != AccECNNone {
		nops := o.nopsBehindAccECN(o.Blocks() > 0)
		b, spared = o.AccECN.append(b, nops), o.AccECN.spare(nops)
	}
	if o.SACKPermitted && !o.HasTS {
		b = append(appendNops(b, 2-spared), tcpOptionSACKPermitted, 2)
		spared = 0
	}
	if o.HasWScale {
		b = append(appendNops(b, 1-spared), tcpOptionWScale, 3, o.WScale)
		spared = 0
	}
	if o.FastOpen.Present {
		b = o.FastOpen.append(b)
	}
	if o.SACKCount > 0 {
		b = o.appendSACK(b, 2-spared)
	}
	return b
}

func (o *TCPOptions) appendSACK(b []byte, nops int) []byte {
	n := o.Blocks()
	if n == 0 {
		return b
	}
	b = append(appendNops(b, nops), tcpOptionSACK, uint8(2+8*n))
	for _, s := range o.SACK[:n] {
		b = binary.BigEndian.AppendUint32(b, uint32(s.Left))
		b = binary.BigEndian.AppendUint32(b, uint32(s.Right))
	}
	return b
}

// timestampsOnly begins the options of nearly every segment of a connection
// with timestamps.
const timestampsOnly = tcpOptionNop<<24 | tcpOptionNop<<16 | tcpOptionTimestamps<<8 | 10

// parse reads options. Those that are unknown, or that have not the length
// theirs must have, are passed over (RFC 9293 3.2, MUST-6); at an impossible
// length it stops (MUST-7).
func (o *TCPOptions) parse(b []byte) {
	*o = TCPOptions{}
	if len(b) == timestampsAligned && binary.BigEndian.Uint32(b) == timestampsOnly {
		o.setTimestamps(b[4:])
		return
	}
	end := TCPMinLen + len(b)
	for len(b) > 0 {
		switch b[0] {
		case tcpOptionEnd:
			return
		case tcpOptionNop:
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			o.Malformed = true
			return
		}
		if b[0] == TCPAuthMD5 || b[0] == TCPAuthAO {
			o.Auth.set(b[0], b[2:b[1]], end-len(b)+2)
		} else {
			o.set(b[0], b[2:b[1]])
		}
		b = b[b[1]:]
	}
}

func (o *TCPOptions) set(kind uint8, data []byte) {
	switch {
	case kind == tcpOptionMSS && len(data) == 2:
		o.MSS = binary.BigEndian.Uint16(data)
	case kind == tcpOptionWScale && len(data) == 1:
		o.HasWScale, o.WScale = true, data[0]
	case kind == tcpOptionSACKPermitted && len(data) == 0:
		o.SACKPermitted = true
	case kind == tcpOptionTimestamps && len(data) == 8:
		o.setTimestamps(data)
	case kind == tcpOptionFastOpen:
		o.FastOpen.set(false, data)
	case kind == tcpOptionExperiment && len(data) >= 2 && binary.BigEndian.Uint16(data) == fastOpenExperiment:
		o.FastOpen.set(true, data[2:])
	case kind == tcpOptionSACK && len(data)%8 == 0:
		o.SACK, o.SACKCount = [4]SACKBlock{}, 0
		for ; len(data) > 0 && o.SACKCount < len(o.SACK); data = data[8:] {
			o.SACK[o.SACKCount] = SACKBlock{
				Left:  seqnum.Value(binary.BigEndian.Uint32(data)),
				Right: seqnum.Value(binary.BigEndian.Uint32(data[4:])),
			}
			o.SACKCount++
		}
	case kind == tcpOptionAccECN0:
		o.AccECN.set(AccECN0, data)
	case kind == tcpOptionAccECN1:
		o.AccECN.set(AccECN1, data)
	}
}

func (o *TCPOptions) setTimestamps(data []byte) {
	o.HasTS = true
	o.TSVal = binary.BigEndian.Uint32(data)
	o.TSEcr = binary.BigEndian.Uint32(data[4:])
}
