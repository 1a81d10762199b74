package seqnum

import "testing"

func TestOrderWrapsAround(t *testing.T) {
	for _, tt := range []struct {
		v, w Value
		sub  int
	}{
		{0, 0, 0},
		{1, 0, 1},
		{0, 1, -1},
		{0, 0xffffffff, 1},
		{0xffffffff, 0, -1},
		{0x7fffffff, 0, 0x7fffffff},
		{5, 0x80000006, 0x7fffffff},
	} {
		if got := tt.v.Sub(tt.w); got != tt.sub {
			t.Errorf("%d.Sub(%d) = %d, want %d", tt.v, tt.w, got, tt.sub)
		}
		if got, want := tt.v.Less(tt.w), tt.sub < 0; got != want {
			t.Errorf("%d.Less(%d) = %v", tt.v, tt.w, got)
		}
		if got, want := tt.v.LessEq(tt.w), tt.sub <= 0; got != want {
			t.Errorf("%d.LessEq(%d) = %v", tt.v, tt.w, got)
		}
		if tt.w.Add(tt.sub) != tt.v {
			t.Errorf("%d.Add(%d) != %d", tt.w, tt.sub, tt.v)
		}
		later, earlier := tt.v, tt.w
		if tt.sub < 0 {
			later, earlier = earlier, later
		}
		if Max(tt.v, tt.w) != later || Min(tt.v, tt.w) != earlier {
			t.Errorf("Max, Min of %d, %d = %d, %d", tt.v, tt.w, Max(tt.v, tt.w), Min(tt.v, tt.w))
		}
	}
}

func TestInIsAWindowThatMayWrap(t *testing.T) {
	for _, tt := range []struct {
		v, first Value
		size     int
		want     bool
	}{
		{10, 10, 1, true},
		{11, 10, 1, false},
		{10, 10, 0, false},
		{9, 10, 5, false},
		{2, 0xfffffffe, 5, true},
		{3, 0xfffffffe, 5, false},
	} {
		if got := tt.v.In(tt.first, tt.size); got != tt.want {
			t.Errorf("%d.In(%d, %d) = %v", tt.v, tt.first, tt.size, got)
		}
	}
}
