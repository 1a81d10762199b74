package afpacket_test

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/afpacket"
)

// BenchmarkVeth measures a stream of frames from one end of a veth pair to the
// other, sent in batches of 16, at most 256 ahead of what has come in.
func BenchmarkVeth(b *testing.B) {
	for _, size := range []int{60, 1500, 62 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			x, y := testnet.New(b), testnet.New(b)
			x.Veth("v0", y, "v1")
			from, to := open(b, x, "v0"), open(b, y, "v1", afpacket.Buffer(64<<20))
			in := &tally{more: make(chan int, 1000)}
			if err := to.Attach(in); err != nil {
				b.Fatal(err)
			}
			seg := 0
			if size > 1500 {
				seg = 1448
			}
			f := testnet.OnEthernet(testnet.Segment("10.1.0.1", "10.1.0.2", size-52, seg), to.Info().Addr, from.Info().Addr)
			frames := make([]link.Frame, 16)
			for i := range frames {
				frames[i] = f
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu()
			for sent := 0; sent < b.N; {
				n, err := from.Output(frames)
				if err != nil {
					b.Fatalf("Output = %d, %v", n, err)
				}
				sent += n
				for sent-in.n > 256 {
					in.n += <-in.more
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
			s := to.Stats()
			b.ReportMetric(float64(s.FramesIn)/float64(s.BatchesIn), "frames/batch")
		})
	}
}

// cpu is the time that the process has used of all processors, in nanoseconds.
func cpu() int64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// tally counts the TCP segments of IPv4 that come in.
type tally struct {
	more chan int
	n    int
}

func (c *tally) Changed() {}

func (c *tally) Input(frames []link.Frame) {
	n := 0
	for i := range frames {
		if p := frames[i].Payload; len(p) > 34 && p[12] == 0x08 && p[23] == 6 {
			n++
		}
	}
	c.more <- n
}
