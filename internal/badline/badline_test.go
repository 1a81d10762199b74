package badline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/berth/link/impair"
)

func TestSpec(t *testing.T) {
	g3, err := impair.Profile("3G")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "trace"), []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		settings string
		is       func(down, up impair.Config) bool
	}{
		{"", func(down, up impair.Config) bool { return down.Delay == 0 && up.Rate == 0 }},
		{"delay=50ms jitter=5ms loss=1% rate=10mbit queue=64KiB", func(down, up impair.Config) bool {
			up.Seed = down.Seed
			return down.Delay == 50*time.Millisecond && down.Jitter == 5*time.Millisecond && down.Loss == 0.01 &&
				down.Rate == 10e6 && down.Queue == 65536 && up.Delay == down.Delay && up.Rate == down.Rate && up.Loss == down.Loss
		}},
		{"profile=3g", func(down, up impair.Config) bool { return down.Rate == g3.Down.Rate && up.Rate == g3.Up.Rate }},
		{"delay=1s profile=3g", func(down, up impair.Config) bool { return down.Rate == g3.Down.Rate && down.Delay == time.Second }},
		{"rate=1mbit trace=trace", func(down, up impair.Config) bool { return down.Trace != nil && up.Trace != nil && down.Rate == 0 }},
		{"profile=perfect", func(down, up impair.Config) bool { return down.Rate == 0 && up.Delay == 0 }},
	} {
		var s Spec
		for _, one := range strings.Fields(tt.settings) {
			key, value, _ := strings.Cut(one, "=")
			if err := s.Set(key, value, dir); err != nil {
				t.Errorf("%s: %v", one, err)
			}
		}
		down, up := s.Configs(7)
		if down.Validate() != nil || up.Validate() != nil || !tt.is(down, up) || down.Seed != 7 || up.Seed != 8 {
			t.Errorf("%s: %+v, %+v", tt.settings, down, up)
		}
	}
}

func TestValuesThatAreNone(t *testing.T) {
	for setting, problem := range map[string]string{
		"profile=4711":   `profile: there is no "4711"`,
		"delay=50":       `delay: "50" has no unit`,
		"loss=101%":      "more than 100%",
		"rate=0bit":      "lets nothing through",
		"queue=0B":       "holds nothing",
		"trace=/no/such": `trace: there is no file "/no/such"`,
		"trace=/etc":     "trace: ",
	} {
		var s Spec
		key, value, _ := strings.Cut(setting, "=")
		var e *ValueError
		if err := s.Set(key, value, ""); !errors.As(err, &e) || !strings.Contains(e.Problem, problem) || e.Hint == "" {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// TestCheck: a setting that says nothing beside the others is a mistake.
func TestCheck(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(trace, []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for settings, want := range map[string]string{
		"":                                 "",
		"delay=50ms jitter=5ms loss=1%":    "",
		"jitter=5ms":                       "",
		"queue=64KiB":                      "queue",
		"queue=64KiB delay=50ms":           "queue",
		"queue=64KiB profile=perfect":      "queue",
		"queue=64KiB rate=10mbit":          "",
		"queue=64KiB profile=3G":           "",
		"queue=64KiB trace=" + trace:       "",
		"rate=10mbit trace=" + trace:       "rate",
		"profile=3G trace=" + trace:        "",
		"profile=3G rate=1mbit queue=9KiB": "",
	} {
		var s Spec
		for _, one := range strings.Fields(settings) {
			key, value, _ := strings.Cut(one, "=")
			if err := s.Set(key, value, ""); err != nil {
				t.Errorf("%s: %v", one, err)
			}
		}
		key, err := s.Check()
		if e, ok := errors.AsType[*ValueError](err); key != want || ok != (want != "") || ok && (!strings.HasPrefix(e.Problem, key+": ") || e.Hint == "") {
			t.Errorf("%q: %q, %v, want %q", settings, key, err, want)
		}
	}
}
