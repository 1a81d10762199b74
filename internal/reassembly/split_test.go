package reassembly

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func timeOf(i int) time.Duration { return time.Duration(i) * time.Second }

func TestRoom(t *testing.T) {
	for _, tt := range []struct{ mtu, heads, want int }{
		{1500, 20, 1480},
		{1500, 48, 1448},
		{1280, 48, 1232},
		{68, 60, 8},
		{67, 60, 0},
		{10, 60, 0},
		{1501, 20, 1480},
	} {
		if got := Room(tt.mtu, tt.heads); got != tt.want {
			t.Errorf("Room(%d, %d) = %d, want %d", tt.mtu, tt.heads, got, tt.want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		length, room int
		want         []Cut
	}{
		{0, 8, nil},
		{1, 8, []Cut{{0, 1, false}}},
		{8, 8, []Cut{{0, 8, false}}},
		{9, 8, []Cut{{0, 8, true}, {8, 9, false}}},
		{3000, 1480, []Cut{{0, 1480, true}, {1480, 2960, true}, {2960, 3000, false}}},
	} {
		if got := slices.Collect(Split(tt.length, tt.room)); !slices.Equal(got, tt.want) {
			t.Errorf("Split(%d, %d) = %v, want %v", tt.length, tt.room, got, tt.want)
		}
	}
	for range Split(100, 8) {
		break // the caller may stop
	}
}

func TestSplitDoesNotAllocate(t *testing.T) {
	total := 0
	if n := testing.AllocsPerRun(100, func() {
		for c := range Split(65000, 1480) {
			total += c.Len()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWhatIsSplitComesTogetherAgain(t *testing.T) {
	whole := strings.Repeat("0123456789abcdef!", 1000)
	for _, mtu := range []int{296, 576, 1280, 1500, 9000} {
		cuts := slices.Collect(Split(len(whole), Room(mtu, 48)))
		for _, order := range []string{"forwards", "backwards"} {
			if order == "backwards" {
				slices.Reverse(cuts)
			}
			for _, v := range []int{4, 6} {
				table := New(Limits{})
				got := ""
				for _, c := range cuts {
					key, f := version(v, c.Offset, c.More, whole[c.Offset:c.End])
					p, err := table.Input(start, key, f)
					if err != nil {
						t.Fatalf("IPv%d, MTU %d: %v", v, mtu, err)
					}
					if p.Done() {
						got = payload(t, p)
					}
				}
				if got != whole || table.Bytes() != 0 {
					t.Errorf("IPv%d, MTU %d, %s: %d bytes came together", v, mtu, order, len(got))
				}
			}
		}
	}
}
