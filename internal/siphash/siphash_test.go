package siphash

import "testing"

// The vectors of the paper's appendix A and of its reference code: key 00..0f,
// message 00..n-1.
func TestVectors(t *testing.T) {
	k := Key{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	msg := make([]byte, 15)
	for i := range msg {
		msg[i] = byte(i)
	}
	for _, tt := range []struct {
		n    int
		want uint64
	}{
		{0, 0x726fdb47dd0e0e31},
		{1, 0x74f839c593dc67fd},
		{8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5},
	} {
		if got := Sum64(k, msg[:tt.n]); got != tt.want {
			t.Errorf("%d bytes: %#x, want %#x", tt.n, got, tt.want)
		}
	}
}

func TestNoAllocs(t *testing.T) {
	b := make([]byte, 37)
	if n := testing.AllocsPerRun(100, func() { Sum64(Key{1, 2}, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSum64(b *testing.B) {
	data := make([]byte, 37) // two ends of IPv6, as in a cookie
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		Sum64(Key{1, 2}, data)
	}
}
