package limits

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

// All ways to sum agree with the loop of the textbook.
func TestSums(t *testing.T) {
	b := make([]byte, 65536)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	for _, n := range []int{128, 1408, 65536} {
		want := bits.ReverseBytes16(sumLoop(b[:n]))
		for name, f := range map[string]func([]byte) uint16{
			"words": sumWords, "chain": sumChain, "chains": sumChains, "sum": sum,
			"copySum": func(b []byte) uint16 { return copySum(make([]byte, len(b)), b) },
		} {
			if got := f(b[:n]); got != want {
				t.Errorf("%s of %d bytes is %#x, want %#x", name, n, got, want)
			}
		}
	}
	for n := range 300 {
		if got, want := sum(b[:n]), bits.ReverseBytes16(sumLoop(b[:n])); got != want {
			t.Fatalf("sum of %d bytes is %#x, want %#x", n, got, want)
		}
	}
}

func TestWindowScale(t *testing.T) {
	for _, tt := range []struct {
		options []byte
		want    uint8
	}{
		{nil, 0},
		{[]byte{1, 1, 3, 3, 7}, 7},
		{[]byte{2, 4, 5, 180, 4, 2, 3, 3, 10}, 10},
		{[]byte{0, 3, 3, 7}, 0},
		{[]byte{2, 0, 3, 3, 7}, 0},
		{[]byte{3, 3}, 0},
	} {
		if got := windowScale(tt.options); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.options, got, tt.want)
		}
	}
}
