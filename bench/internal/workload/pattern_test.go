package workload

import (
	"slices"
	"testing"
)

func TestSinkTakesTheStreamInAnyPieces(t *testing.T) {
	for _, sizes := range [][]int{{1}, {period}, {65536}, {100, 1448, 64, 65536, 4093}} {
		out, in := newSource(65536), newSink()
		for i := range 20 {
			b := out.next(sizes[i%len(sizes)])
			for len(b) > 0 {
				n := min(len(b), 1000)
				if err := in.check(b[:n]); err != nil {
					t.Fatalf("%v: %v", sizes, err)
				}
				b = b[n:]
			}
		}
	}
}

func TestSinkSeesWhatIsWrong(t *testing.T) {
	good := slices.Clone(newSource(10_000).next(10_000))
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
		if err := newSink().check(tt.spoil(slices.Clone(good))); err == nil {
			t.Errorf("%s passes", tt.name)
		}
	}
	if err := newSink().check(good); err != nil {
		t.Error(err)
	}
}
