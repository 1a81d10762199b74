package units

import (
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64 // 0 for a mistake
	}{
		{"10mbit", 10e6},
		{"10 Mbit/s", 10e6},
		{"384kbps", 384e3},
		{"1Gbit", 1e9},
		{"0bit", 0},
		{"10", 0},
		{"10 MB/s", 0},
		{"fast", 0},
	} {
		if got, err := ParseLimit(tt.text); got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("%q is %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestQueues(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int // 0 for a mistake
	}{
		{"64KiB", 65536},
		{"64 KB", 64000},
		{"1 packet", 1500},
		{"100 packets", 150000},
		{"0 B", 0},
		{"64", 0}, // packets, or bytes?
		{"2 GiB", 0},
	} {
		if got, err := ParseQueue(tt.text); got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("%q is %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestMistakesNameTheValue(t *testing.T) {
	for _, tt := range []struct {
		name  string
		parse func(string) error
	}{
		{"duration", func(s string) error { _, err := ParseDuration(s); return err }},
		{"rate", func(s string) error { _, err := ParseRate(s); return err }},
		{"size", func(s string) error { _, err := ParseSize(s); return err }},
		{"share", func(s string) error { _, err := ParseShare(s); return err }},
		{"count", func(s string) error { _, err := ParseCount(s); return err }},
	} {
		for _, s := range []string{"", "-1", "1e3", "x", "1 x", "99999999999999999999 Gbit/s"} {
			if err := tt.parse(s); err == nil || !strings.Contains(err.Error(), `"`+s+`"`) {
				t.Errorf("%s %q: %v", tt.name, s, err)
			}
		}
	}
	if d, err := ParseDuration("1m 30s"); d != 90*time.Second || err != nil {
		t.Errorf("%v, %v", d, err)
	}
}
