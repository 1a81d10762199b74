package pcapng_test

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A block of a capture: the reader of the tests, which believes nothing.
type block struct {
	typ     uint32
	body    []byte // without options
	options []option
}

type option struct {
	code  uint16
	value []byte
}

// Lengths of the fixed parts of blocks that have options behind them.
var fixed = map[uint32]int{0x0a0d0d0a: 16, 1: 8, 5: 12}

// read reads all blocks. An error says what is wrong behind those returned.
func read(b []byte) (all []block, err error) {
	for len(b) > 0 {
		if len(b) < 12 {
			return all, errors.New("cut")
		}
		typ, n := binary.LittleEndian.Uint32(b), int(binary.LittleEndian.Uint32(b[4:]))
		if n > len(b) {
			return all, errors.New("cut")
		}
		if n < 12 || n%4 != 0 || int(binary.LittleEndian.Uint32(b[n-4:])) != n {
			return all, fmt.Errorf("block of type %d: lengths %d and %d", typ, n, binary.LittleEndian.Uint32(b[n-4:]))
		}
		bl := block{typ: typ, body: b[8 : n-4]}
		at, has := fixed[typ]
		if typ == 6 {
			at, has = 20+(int(bl.u32(12))+3)&^3, true
		}
		if has {
			if bl.options, err = options(bl.body[at:]); err != nil {
				return all, err
			}
			bl.body = bl.body[:at]
		}
		all = append(all, bl)
		b = b[n:]
	}
	return all, nil
}

// options reads options, or records, up to the end mark.
func options(b []byte) (all []option, err error) {
	for {
		if len(b) < 4 {
			return nil, errors.New("options without an end")
		}
		code, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if code == 0 {
			if n != 0 || len(b) != 0 {
				return nil, fmt.Errorf("%d bytes behind the end of options", len(b))
			}
			return all, nil
		}
		padded := (n + 3) &^ 3
		if padded > len(b) {
			return nil, errors.New("option longer than the block")
		}
		all = append(all, option{code, b[:n]})
		b = b[padded:]
	}
}

func (b *block) u32(at int) uint32 { return binary.LittleEndian.Uint32(b.body[at:]) }

// time reads a timestamp in nanoseconds.
func (b *block) time(at int) int64 { return int64(b.u32(at))<<32 | int64(b.u32(at+4)) }

// all returns the values of an option.
func (b *block) all(code uint16) (values []string) {
	for _, o := range b.options {
		if o.code == code {
			values = append(values, string(o.value))
		}
	}
	return values
}

// data returns the bytes of a packet.
func (b *block) data() string { return string(b.body[20 : 20+b.u32(12)]) }

// packet describes a packet for a comparison.
func (b *block) packet() string {
	flags := b.all(2)
	dir := map[string]string{"\x01\x00\x00\x00": "in", "\x02\x00\x00\x00": "out"}[flags[0]]
	s := fmt.Sprintf("%d %s %q", b.u32(0), dir, b.data())
	for _, c := range b.all(1) {
		s += " (" + c + ")"
	}
	return s
}
