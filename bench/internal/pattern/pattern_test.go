package pattern

import (
	"slices"
	"testing"
)

func TestSinkTakesTheStreamInAnyPieces(t *testing.T) {
	for _, sizes := range [][]int{{1}, {period}, {65536}, {100, 1448, 64, 65536, 4093}} {
		out, in := NewSource(65536), NewSink()
		for i := range 20 {
			b := out.Next(sizes[i%len(sizes)])
			for len(b) > 0 {
				n := min(len(b), 1000)
				if err := in.Check(b[:n]); err != nil {
					t.Fatalf("%v: %v", sizes, err)
				}
				b = b[n:]
			}
		}
	}
}

func TestSinkSeesWhatIsWrong(t *testing.T) {
	good := slices.Clone(NewSource(10_000).Next(10_000))
	for _, tt := range []struct {
		name  string
		spoil func([]byte) []byte
	}{
		{"a bit", func(b []byte) []byte { b[5000] ^= 1; return b }},
		{"a packet twice", func(b []byte) []byte { copy(b[1448:], b[:1448]); return b }},
		{"two packets swapped", func(b []byte) []byte {
			return slices.Concat(b[1448:2896], b[:1448], b[2896:])
		}},
		{"one missing", func(b []byte) []byte { return b[1448:] }},
	} {
		if err := NewSink().Check(tt.spoil(slices.Clone(good))); err == nil {
			t.Errorf("%s passes", tt.name)
		}
	}
	if err := NewSink().Check(good); err != nil {
		t.Error(err)
	}
}
