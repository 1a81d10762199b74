package tcp

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRingIsAQueue(t *testing.T) {
	var pool ringPool[int]
	var r ring[int]
	var slow []int
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		if rng.IntN(1000) < 500+i%1000/10-50 {
			r.push(&pool, i)
			slow = append(slow, i)
		} else if len(slow) > 0 {
			k := 1 + rng.IntN(min(len(slow), 5))
			r.pop(&pool, k)
			slow = slow[k:]
		}
		if r.len() != len(slow) {
			t.Fatalf("%d in it, want %d", r.len(), len(slow))
		}
		if len(slow) == 0 {
			if r.mem != nil {
				t.Fatal("an empty ring holds memory")
			}
			continue
		}
		if *r.front() != slow[0] || *r.back() != slow[len(slow)-1] {
			t.Fatal("other ends")
		}
		if i%97 == 0 {
			var all []int
			for k := range r.len() {
				all = append(all, *r.at(k))
			}
			if !slices.Equal(all, slow) {
				t.Fatalf("%v, want %v", all, slow)
			}
		}
	}
}
