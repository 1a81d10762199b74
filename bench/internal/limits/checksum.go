package limits

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"runtime"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// fold brings a sum to 16 bits (RFC 1071).
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

// sumLoop is the loop of the textbook, over 16-bit words in network order.
func sumLoop(b []byte) uint16 {
	var s uint64
	for ; len(b) >= 2; b = b[2:] {
		s += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint64(b[0]) << 8
	}
	return fold(s)
}

// sumWords adds 32-bit words to a sum of 64 bits, so that there are no carries.
func sumWords(b []byte) uint16 {
	var s uint64
	for ; len(b) >= 32; b = b[32:] {
		for i := 0; i < 32; i += 4 {
			s += uint64(binary.LittleEndian.Uint32(b[i:]))
		}
	}
	return fold(s)
}

// chain adds eight 64-bit words with the carry from one to the next.
func chain(s uint64, b []byte) uint64 {
	_ = b[63]
	var c uint64
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b), 0)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[8:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[16:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[24:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[32:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[40:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[48:]), c)
	s, c = bits.Add64(s, binary.LittleEndian.Uint64(b[56:]), c)
	return s + c
}

// sumChain runs one chain of carries. It takes multiples of 64 bytes.
func sumChain(b []byte) uint16 {
	var s uint64
	for ; len(b) >= 64; b = b[64:] {
		s = chain(s, b)
	}
	return fold(s)
}

// sumChains runs two chains, which do not wait for each other. It takes
// multiples of 128 bytes.
func sumChains(b []byte) uint16 {
	var s, t uint64
	for ; len(b) >= 128; b = b[128:] {
		s = chain(s, b)
		t = chain(t, b[64:])
	}
	s, c := bits.Add64(s, t, 0)
	return fold(s + c)
}

// copySum copies and sums in one pass.
func copySum(dst, b []byte) uint16 {
	var s uint64
	for ; len(b) >= 64; b, dst = b[64:], dst[64:] {
		s = chain(s, b)
		copy(dst[:64], b)
	}
	return fold(s)
}

// sum is for any length: two chains, and what they leave. The result is in the
// order of the machine's bytes, which are little-endian here.
func sum(b []byte) uint16 {
	whole := len(b) &^ 127
	s := uint64(sumChains(b[:whole]))
	b = b[whole:]
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		s += w>>32 + w&0xffffffff
	}
	for ; len(b) >= 2; b = b[2:] {
		s += uint64(binary.LittleEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint64(b[0])
	}
	return fold(s)
}

func checksums() (rows []Row) {
	for _, size := range []int{1472, 65536} {
		b, d := make([]byte, size), make([]byte, size)
		for i := range b {
			b[i] = byte(i * 7)
		}
		for _, c := range []struct {
			name string
			f    func([]byte) uint16
		}{
			{"loop over 16-bit words", sumLoop},
			{"32-bit words to 64 bits", sumWords},
			{"64-bit words, a chain of carries", sumChain},
			{"64-bit words, two chains", sumChains},
			{"gVisor's checksum.Checksum", func(b []byte) uint16 { return checksum.Checksum(b, 0) }},
			{"copy and sum in one pass", func(b []byte) uint16 { return copySum(d, b) }},
			{"copy, then sum", func(b []byte) uint16 { copy(d, b); return sumChains(d) }},
		} {
			rows = append(rows, Row{fmt.Sprintf("checksum %d B: %s", size, c.name), "GB/s", true, func() float64 {
				var all uint16
				took := perOp(func(n int) {
					for range n {
						all ^= c.f(b)
					}
				})
				runtime.KeepAlive(all) // or the compiler leaves the sums out
				return float64(size) / took
			}})
		}
	}
	return rows
}
