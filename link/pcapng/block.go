package pcapng

import (
	"encoding/binary"
	"strings"
)

// Types of blocks.
const (
	blockInterface  = 1
	blockNames      = 4
	blockStatistics = 5
	blockPacket     = 6
	blockSecrets    = 10
	blockSection    = 0x0a0d0d0a
)

// Options of any block, and of each kind.
const (
	optEnd     = 0
	optComment = 1

	sectionHardware = 2
	sectionOS       = 3
	sectionApp      = 4

	interfaceName    = 2
	interfaceMAC     = 6
	interfaceTSResol = 9

	packetFlags = 2

	statisticsStart    = 2
	statisticsEnd      = 3
	statisticsReceived = 4
	statisticsDropped  = 5
)

// maxOption is the longest value of an option.
const maxOption = 65535

// blocks is a buffer that blocks are appended to. All numbers are
// little-endian, and all parts are padded to 32 bits.
type blocks struct{ b []byte }

// begin begins a block and returns where.
func (w *blocks) begin(typ uint32) (at int) {
	at = len(w.b)
	w.u32(typ)
	w.u32(0) // the length, when it is known
	return at
}

// end ends the block that began at at: its length stands at both ends, so that
// a file can be read from either.
func (w *blocks) end(at int) {
	n := uint32(len(w.b) + 4 - at)
	binary.LittleEndian.PutUint32(w.b[at+4:], n)
	w.u32(n)
}

func (w *blocks) u16(x uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, x) }
func (w *blocks) u32(x uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, x) }

// time appends a timestamp in nanoseconds: the high half first.
func (w *blocks) time(ns int64) {
	w.u32(uint32(ns >> 32))
	w.u32(uint32(ns))
}

// pad pads what began at from.
func (w *blocks) pad(from int) {
	for (len(w.b)-from)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *blocks) option(code uint16, value []byte) {
	w.u16(code)
	w.u16(uint16(len(value)))
	at := len(w.b)
	w.b = append(w.b, value...)
	w.pad(at)
}

// text appends an option unless it is empty. What is too long is cut.
func (w *blocks) text(code uint16, s string) {
	if s == "" {
		return
	}
	if len(s) > maxOption {
		s = strings.ToValidUTF8(s[:maxOption], "")
	}
	w.u16(code)
	w.u16(uint16(len(s)))
	at := len(w.b)
	w.b = append(w.b, s...)
	w.pad(at)
}

func (w *blocks) optionU32(code uint16, x uint32) {
	w.u16(code)
	w.u16(4)
	w.u32(x)
}

func (w *blocks) optionU64(code uint16, x uint64) {
	w.u16(code)
	w.u16(8)
	w.b = binary.LittleEndian.AppendUint64(w.b, x)
}

func (w *blocks) optionTime(code uint16, ns int64) {
	w.u16(code)
	w.u16(8)
	w.time(ns)
}

func (w *blocks) endOptions() { w.u32(optEnd) }
