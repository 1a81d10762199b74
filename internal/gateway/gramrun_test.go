package gateway

import (
	"fmt"
	"strings"
	"testing"
)

func TestGramRun(t *testing.T) {
	many := func(n, size int) []int {
		sizes := make([]int, n)
		for i := range sizes {
			sizes[i] = size
		}
		return sizes
	}
	for _, tt := range []struct {
		name  string
		sizes []int
		want  string // datagrams x size of each run
	}{
		{"none", nil, ""},
		{"one", []int{7}, "1x7"},
		{"of one size", []int{7, 7, 7}, "3x7"},
		{"a shorter one ends it", []int{7, 7, 5, 7}, "3x7 1x7"},
		{"a longer one begins another", []int{7, 7, 8, 8}, "2x7 2x8"},
		{"ever longer", []int{1, 2, 3}, "1x1 1x2 1x3"},
		{"empty ones are alone", []int{0, 0, 7, 0, 7}, "1x0 1x0 1x7 1x0 1x7"},
		{"as many as the system takes", many(130, 10), "64x10 64x10 2x10"},
		{"as much as a packet holds", many(50, 1400), "46x1400 4x1400"},
		{"the longest are alone", []int{65507, 65507, 1, 65507}, "1x65507 1x65507 1x1 1x65507"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := gramRun{buf: make([]byte, gramRoom)}
			var got []string
			next := byte(0) // of the datagrams that went
			went := func(b []byte, size int, ok bool) {
				if !ok {
					return
				}
				n := 0
				for {
					one := b[:min(size, len(b))]
					for _, x := range one {
						if x != next {
							t.Fatalf("datagram %d has bytes of %d", next, x)
						}
					}
					next++
					n++
					if b = b[len(one):]; len(b) == 0 {
						break
					}
				}
				got = append(got, fmt.Sprintf("%dx%d", n, size))
			}
			for i, n := range tt.sizes {
				room := run.room()
				if len(room) < bufferSize {
					t.Fatalf("room for %d bytes", len(room))
				}
				for k := range n {
					room[k] = byte(i)
				}
				went(run.add(n))
			}
			went(run.take())
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s, want %s", s, tt.want)
			}
		})
	}
}
