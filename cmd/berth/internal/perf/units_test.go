package perf

import "testing"

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		s     string
		times float64
		want  int64
	}{
		{"0", 1024, 0},
		{"1500", 1024, 1500},
		{"64K", 1024, 65536},
		{"64k", 1000, 64000},
		{"1.5G", 1000, 1_500_000_000},
		{"2T", 1024, 2 << 40},
	} {
		if got, err := ParseSize(tt.s, tt.times); got != tt.want || err != nil {
			t.Errorf("%s is %d, %v, want %d", tt.s, got, err, tt.want)
		}
	}
	for _, s := range []string{"", "K", "-1", "1X", "nan", "inf", "0x10", "9999999T", "1_000", "1e400"} {
		if n, err := ParseSize(s, 1024); err == nil {
			t.Errorf("%q is %d", s, n)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want string
	}{
		{0, "   0 Bytes"},
		{1023, "1023 Bytes"},
		{1024, "1.00 KBytes"},
		{15 << 10, "15.0 KBytes"},
		{639 << 10, " 639 KBytes"},
		{5 << 40, "5.00 TBytes"},
	} {
		if got := bytesText(tt.n); got != tt.want {
			t.Errorf("%d is %q, want %q", tt.n, got, tt.want)
		}
	}
	if got := bitsText(21.5e9); got != "21.5 Gbits/sec" {
		t.Errorf("%q", got)
	}
}
