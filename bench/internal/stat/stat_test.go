package stat

import "testing"

func TestQuantile(t *testing.T) {
	for _, tt := range []struct {
		v    []float64
		q    float64
		want float64
	}{
		{nil, 0.5, 0},
		{[]float64{3}, 0.9, 3},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{4, 1, 3, 2}, 0, 1},
		{[]float64{4, 1, 3, 2}, 1, 4},
		{[]float64{10, 20}, 0.25, 12.5},
	} {
		if got := Quantile(tt.v, tt.q); got != tt.want {
			t.Errorf("the %v-quantile of %v is %v, want %v", tt.q, tt.v, got, tt.want)
		}
	}
}

func TestSpread(t *testing.T) {
	if got := Spread([]float64{9, 10, 11}); got != 0.2 {
		t.Errorf("spread %v, want 0.2", got)
	}
	if got := Spread(nil); got != 0 {
		t.Errorf("spread of nothing is %v", got)
	}
}
