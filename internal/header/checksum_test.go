package header

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
)

// slowSum is RFC 1071 as it reads: 16-bit words one after the other, carries
// brought around at once.
func slowSum(b []byte) uint16 {
	var sum uint32
	for i, x := range b {
		word := uint32(x)
		if i%2 == 0 {
			word <<= 8
		}
		sum += word
		if sum > 0xffff {
			sum -= 0xffff
		}
	}
	return uint16(sum)
}

// same compares sums in ones' complement, where 0 and 0xffff are one number;
// but only a sum of nothing but zeros may be 0.
func same(got uint32, want uint16) bool { return fold16(got) == want }

func randomBytes(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestSumAgreesWithTheObviousAtEveryLengthAndAlignment(t *testing.T) {
	random := randomBytes(2100)
	ones := make([]byte, 2100)
	for i := range ones {
		ones[i] = 0xff
	}
	for _, data := range [][]byte{random, ones, make([]byte, 2100)} {
		for at := range 9 {
			for n := range 600 {
				b := data[at : at+n]
				if got, want := Sum(b, 0), slowSum(b); !same(got, want) {
					t.Fatalf("%d bytes at %d: %#x, want %#x", n, at, got, want)
				}
			}
		}
	}
	for _, n := range []int{1460, 1461, 2047, 2048, 2100} {
		if got, want := Sum(random[:n], 0), slowSum(random[:n]); !same(got, want) {
			t.Errorf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
	long := randomBytes(MaxPacket)
	if got, want := Sum(long, 0), slowSum(long); !same(got, want) {
		t.Errorf("%d bytes: %#x, want %#x", len(long), got, want)
	}
}

func TestSumOfPieces(t *testing.T) {
	data := randomBytes(300)
	want := slowSum(data)
	for cut := range len(data) {
		acc := Sum(data[:cut], 0)
		if got := SumAt(data[cut:], cut, acc); !same(got, want) {
			t.Fatalf("cut at %d: %#x, want %#x", cut, got, want)
		}
	}
	if got := Sum(nil, 0xffffffff); !same(got, 0xffff) {
		t.Errorf("a full accumulator became %#x", got)
	}
}

func TestExampleOfRFC1071(t *testing.T) {
	b := []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}
	if got := Sum(b, 0); fold16(got) != 0xddf2 {
		t.Errorf("sum %#x, want 0xddf2 (RFC 1071 section 3)", got)
	}
	if got := Fold(Sum(b, 0)); got != 0x220d {
		t.Errorf("checksum %#x", got)
	}
	if got := Partial(Sum(b, 0)); got != 0xddf2 {
		t.Errorf("partial %#x", got)
	}
}

func TestPseudoSumIsThatOfThePseudoHeader(t *testing.T) {
	for _, tt := range []struct {
		src, dst string
		length   int
	}{
		{"10.0.0.1", "192.168.255.254", 20},
		{"255.255.255.255", "255.255.255.255", MaxPacket},
		{"0.0.0.0", "0.0.0.0", 0},
		{"2001:db8::1", "fe80::ffff:ffff:ffff:ffff", 1280},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", 1 << 20},
		{"::ffff:10.0.0.1", "::1", 8},
	} {
		src, dst := netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst)
		pseudo := append(src.AsSlice(), dst.AsSlice()...)
		pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(tt.length))
		pseudo = append(pseudo, 0, 0, 0, 6)
		if got, want := PseudoSum(src, dst, 6, tt.length), slowSum(pseudo); !same(got, want) {
			t.Errorf("%s to %s: %#x, want %#x", src, dst, got, want)
		}
	}
}

func TestUpdateChecksum(t *testing.T) {
	// The example of RFC 1624 section 4, where the older formula gives 0xffff.
	if got := UpdateChecksum(0xdd2f, 0x5555, 0x3285); got != 0 {
		t.Errorf("RFC 1624: %#x, want 0", got)
	}
	data := randomBytes(64)
	r := rand.New(rand.NewPCG(2, 3))
	check := Fold(Sum(data, 0))
	for range 1000 {
		at, n := 2*r.IntN(24), 2*(1+r.IntN(8))
		was := Sum(data[at:at+n], 0)
		for i := range n {
			data[at+i] = byte(r.Uint32())
		}
		check = UpdateChecksum(check, was, Sum(data[at:at+n], 0))
		if want := Fold(Sum(data, 0)); check != want {
			t.Fatalf("%#x, want %#x", check, want)
		}
	}
}

func TestUDPNeverSendsZero(t *testing.T) {
	if got := FoldUDP(0xffff); got != 0xffff {
		t.Errorf("%#x, want 0xffff", got)
	}
	if got := FoldUDP(0x1234); got != ^uint16(0x1234) {
		t.Errorf("%#x", got)
	}
}

func BenchmarkSum(b *testing.B) {
	for _, size := range []int{20, 64, 576, 1460, 9000, 65535} {
		data := randomBytes(size)
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			var acc uint32
			for range b.N {
				acc = Sum(data, acc)
			}
			sink = acc
		})
	}
}

var sink uint32
