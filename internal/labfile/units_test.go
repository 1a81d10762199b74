package labfile

import (
	"math"
	"testing"
	"time"

	"example.com/berth/internal/units"
)

func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		d    Dimension
		text string
		want float64 // -1 for a mistake
	}{
		{Duration, "20ms", 20e6},
		{Duration, "1.5 s", 1.5e9},
		{Duration, "1m30s", 90e9},
		{Duration, "5US", 5e3},
		{Duration, "0", 0},
		{Duration, "0s", 0},
		{Duration, "5", -1},
		{Duration, "", -1},
		{Duration, "1d", -1},
		{Rate, "10 Mbit/s", 10e6},
		{Rate, "1.5gbps", 1.5e9},
		{Rate, "9600 bit/s", 9600},
		{Rate, "10", -1},
		{Rate, "1e3 bit/s", -1},
		{Rate, "99999999 Gbit/s", -1},
		{Rate, ". Mbit/s", -1},
		{Size, "100", 100},
		{Size, "64 KB", 64e3},
		{Size, "64KiB", 65536},
		{Size, "1.5 MiB", 1.5 * (1 << 20)},
		{Size, "-1", -1},
		{Share, "1%", 0.01},
		{Share, "0.5", 0.5},
		{Share, "100 %", 1},
		{Share, "0", 0},
		{Share, "1.01", -1},
		{Share, "%", -1},
		{Count, "3", 3},
		{Count, "3.5", -1},
		{Count, "0x10", -1},
	} {
		got, err := tt.d.parse(tt.text)
		if tt.want < 0 {
			if err == nil {
				t.Errorf("%q is %v", tt.text, got)
			}
			continue
		}
		if err != nil || math.Abs(got-tt.want) > 1e-9*tt.want {
			t.Errorf("%q: %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
	if _, err := units.ParseSize("0.5"); err == nil {
		t.Error("half a byte is a size")
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		d    Dimension
		v    float64
		want string
	}{
		{Duration, 40e6, "40.0 ms"},
		{Duration, float64(2400 * time.Millisecond), "2.40 s"},
		{Duration, 1234, "1.23 us"},
		{Duration, 0, "0 ms"},
		{Duration, 123e9, "123 s"},
		{Rate, 9.534e6, "9.53 Mbit/s"},
		{Rate, 12, "12 bit/s"},
		{Size, 24.8e6, "24.8 MB"},
		{Size, 999, "999 B"},
		{Share, 0.024391, "2.439%"},
		{Count, 12, "12"},
		{Count, math.NaN(), "none"},
	} {
		if got := tt.d.Format(tt.v); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"delay", "loss", "duplicate", "rate", "a"}
	for word, want := range map[string]string{
		"dleay": "delay", "los": "loss", "Loss": "loss", "duplciates": "duplicate", "rates": "rate",
		"b": "", "bandwidth": "", "": "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}
