package examples

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"testing/cryptotest"
	"testing/synctest"

	"example.com/berth/lab"
)

// Programs that do one thing after the other at each instant, and whose random
// values all come from crypto/rand, give the same capture in every run, byte by
// byte. The package comment has those that do not, and why.
func TestSameCaptureEveryTime(t *testing.T) {
	for _, p := range []struct {
		name string
		run  func(*testing.T, *lab.Network)
	}{
		{"HTTP/1.1", httpThroughPartition},
		{"etcd's Raft", etcdRaftThroughTrouble},
	} {
		t.Run(p.name, func(t *testing.T) {
			if n := captures(t, 5, p.run); n != 1 {
				t.Errorf("five runs gave %d different captures", n)
			}
		})
	}
}

// captures runs a program several times with the same seeds, on fake time, and
// returns how many different captures there were.
func captures(t *testing.T, runs int, program func(*testing.T, *lab.Network)) int {
	t.Helper()
	seen := map[[sha256.Size]byte]int{}
	for range runs {
		cryptotest.SetGlobalRandom(t, 1)
		synctest.Test(t, func(t *testing.T) {
			n := lab.New(t)
			program(t, n)
			var b bytes.Buffer
			check(t, n.WriteCapture(&b))
			seen[sha256.Sum256(b.Bytes())]++
		})
	}
	return len(seen)
}
