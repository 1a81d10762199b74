package lean

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Insert and Sort do what their models in package slices do.

func TestInsert(t *testing.T) {
	for n := range 5 {
		for at := range n + 1 {
			for _, room := range []int{0, 1} {
				s := make([]int, n, n+room)
				for i := range s {
					s[i] = i
				}
				want := slices.Insert(slices.Clone(s), at, 99)
				if got := Insert(s, at, 99); !slices.Equal(got, want) {
					t.Errorf("at %d of %d: %v, want %v", at, n, got, want)
				}
			}
		}
	}
}

func TestRemove(t *testing.T) {
	for at := range 4 {
		s := []int{1, 2, 3, 4}
		want := slices.Delete(slices.Clone(s), at, at+1)
		got := Remove(s, at)
		if !slices.Equal(got, want) {
			t.Errorf("at %d: %v, want %v", at, got, want)
		}
		if s[3] != 0 {
			t.Errorf("at %d: something is still behind the slice: %v", at, s)
		}
	}
}

func TestOr(t *testing.T) {
	if Or(0, 3) != 3 || Or(2, 3) != 2 || Or(0, 0) != 0 || Or("", "x") != "x" {
		t.Error("not the first that is not zero")
	}
}

func TestDrop(t *testing.T) {
	for picked := range 1 << 5 {
		drop := func(n int) bool { return picked>>n&1 != 0 }
		s := []int{0, 1, 2, 3, 4}
		want := slices.DeleteFunc(slices.Clone(s), drop)
		got := Drop(s, func(n *int) bool { return drop(*n) })
		if !slices.Equal(got, want) {
			t.Errorf("%05b: %v, want %v", picked, got, want)
		}
		for _, rest := range s[len(got):] {
			if rest != 0 {
				t.Errorf("%05b: what was dropped is still behind the slice: %v", picked, s)
			}
		}
	}
}

func TestSort(t *testing.T) {
	less := func(a, b *int) bool { return *a < *b }
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		for _, values := range []int{1, 3, 1000} {
			s := make([]int, n)
			for i := range s {
				s[i] = r.IntN(values)
			}
			for _, order := range [...]func([]int){func([]int) {}, slices.Sort[[]int], slices.Reverse[[]int]} {
				order(s)
				got := slices.Clone(s)
				Sort(got, less)
				if want := slices.Sorted(slices.Values(s)); !slices.Equal(got, want) {
					t.Fatalf("%v became %v", s, got)
				}
			}
		}
	}
}

func BenchmarkSort(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		r := rand.New(rand.NewPCG(1, 2))
		random := r.Perm(n)
		s := make([]int, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				copy(s, random)
				Sort(s, func(a, b *int) bool { return *a < *b })
			}
		})
	}
}

func TestNoAllocs(t *testing.T) {
	s := make([]int, 16, 32)
	if n := testing.AllocsPerRun(100, func() {
		for i := range s {
			s[i] = i * 7 % 16
		}
		Sort(s, func(a, b *int) bool { return *a < *b })
		s = Remove(Insert(s, 3, 99), 3)
		s = append(Drop(s, func(x *int) bool { return *x == 5 }), 5)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBytesAreACopy(t *testing.T) {
	b := []byte("abc")
	c := Bytes(b)
	if b[0] = 'x'; string(c) != "abc" {
		t.Errorf("%q", c)
	}
}
