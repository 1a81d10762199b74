package hello

import (
	"bytes"
	"slices"
)

// Of frames, RFC 9000 19.
const (
	framePadding = 0x00
	framePing    = 0x01
	frameACK     = 0x02
	frameACKECN  = 0x03
	frameCrypto  = 0x06
	frameClose   = 0x1c
	maxGaps      = 64 // pieces that do not touch: clients send them out of order on purpose
	maxACKRanges = 256
)

// crypto is the handshake as it is put together from CRYPTO frames.
type crypto struct {
	buf  []byte
	have []piece // in order, none touching the next
}

// A piece is a range of buf that has come.
type piece struct{ from, to int }

// data is what has come without a gap.
func (c *crypto) data() []byte {
	if len(c.have) == 0 || c.have[0].from > 0 {
		return nil
	}
	return c.buf[:c.have[0].to]
}

// frames reads the frames of an Initial packet, RFC 9000 12.4. It tells whether
// they are well formed.
func (c *crypto) frames(payload []byte) bool {
	r := reader{b: payload}
	for len(r.b) > 0 {
		switch kind := r.varint(); kind {
		case framePadding, framePing:
		case frameACK, frameACKECN:
			r.ack(kind == frameACKECN)
		case frameCrypto:
			offset := r.varint()
			data := r.take(r.varint())
			if r.bad || !c.add(offset, data) {
				return false
			}
		case frameClose:
			r.varint()
			r.varint()
			r.take(r.varint())
		default:
			return false
		}
	}
	return !r.bad
}

// ack skips an ACK frame.
func (r *reader) ack(ecn bool) {
	r.varint()
	r.varint()
	ranges := r.varint()
	r.varint()
	if ranges > maxACKRanges {
		r.bad = true
		return
	}
	for range ranges {
		r.varint()
		r.varint()
	}
	if ecn {
		r.varint()
		r.varint()
		r.varint()
	}
}

// add takes the data of a frame. It is false if that is too much, or if it is not
// the same as what has come for the same place: a server could take the other.
func (c *crypto) add(offset int, data []byte) bool {
	end := offset + len(data)
	switch {
	case end > MaxHello:
		return false
	case len(data) == 0:
		return true
	case end > len(c.buf):
		c.buf = append(c.buf, make([]byte, end-len(c.buf))...)
	}
	for _, p := range c.have {
		from, to := max(p.from, offset), min(p.to, end)
		if from < to && !bytes.Equal(c.buf[from:to], data[from-offset:to-offset]) {
			return false
		}
	}
	copy(c.buf[offset:], data)
	c.have = join(c.have, piece{offset, end})
	return len(c.have) <= maxGaps
}

// join enters a piece among others, and makes one of those that touch.
func join(all []piece, p piece) []piece {
	i, _ := slices.BinarySearchFunc(all, p.from, func(q piece, from int) int { return q.to - from })
	j := i
	for j < len(all) && all[j].from <= p.to {
		p.from, p.to = min(p.from, all[j].from), max(p.to, all[j].to)
		j++
	}
	return slices.Replace(all, i, j, p)
}
