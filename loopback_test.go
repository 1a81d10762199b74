package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/impair"
)

// A host's traffic with itself passes what Config.Loopback makes of lo, out and
// in again.
func TestALoopbackThatIsABadLine(t *testing.T) {
	bad := impair.Config{Loss: 0.02, Reorder: 0.05, Delay: time.Millisecond}
	for _, tt := range []struct {
		name    string
		out, in impair.Config
	}{
		{"on the way out", bad, impair.Config{}},
		{"on the way in", impair.Config{}, bad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var line *impair.Device
				h := berth.NewHost(berth.Config{Loopback: func(lo link.Device) link.Device {
					line = impair.New(lo, tt.out)
					return line
				}})
				defer h.Close()
				if err := line.SetInput(tt.in); err != nil {
					t.Fatal(err)
				}
				for _, addr := range []string{"127.0.0.1", "::1"} {
					c, s := connected(t, h, h, netip.MustParseAddr(addr))
					transfer(t, c, s, 8<<20)
				}
				out, in := line.OutputStats(), line.InputStats()
				if out.Lost+in.Lost == 0 || out.Reordered+in.Reordered == 0 {
					t.Errorf("nothing happened to %d packets", out.Packets)
				}
			})
		})
	}
}

func TestALoopbackThatCannotBe(t *testing.T) {
	defer func() {
		const want = "berth: Config.Loopback: impair: Loss is 2: a probability is from 0 to 1"
		if got := recover(); got != want {
			t.Errorf("NewHost panicked with %v, want %q", got, want)
		}
	}()
	berth.NewHost(berth.Config{Loopback: func(lo link.Device) link.Device {
		return impair.New(lo, impair.Config{Loss: 2})
	}})
}

// An answerer sends back each second frame that it gets, while it is delivered.
type answerer struct {
	link.Device
	got int
}

func (a *answerer) Changed() {}

func (a *answerer) Input(frames []link.Frame) {
	if a.got++; a.got%2 == 1 {
		a.Output(frames)
	}
}

// What is answered while it is delivered takes its turn, and no memory.
func TestAnswersOverTheLoopbackAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("pools lose what is in them")
	}
	a := &answerer{Device: berth.NewLoopback()}
	if err := a.Attach(a); err != nil {
		t.Fatal(err)
	}
	frames := []link.Frame{{Payload: make([]byte, 40)}}
	if n := testing.AllocsPerRun(100, func() { a.Output(frames) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if want := 2 * 101; a.got != want {
		t.Errorf("%d frames came, want %d", a.got, want)
	}
}
