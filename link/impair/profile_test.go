package impair_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/berth/link/impair"
)

func TestProfilesAreSorted(t *testing.T) {
	var names []string
	for _, p := range impair.Profiles() {
		names = append(names, p.Name)
		for _, c := range []impair.Config{p.Down, p.Up} {
			if err := c.Validate(); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
			if c.Rate <= 0 || c.Delay <= 0 || c.Jitter > c.Delay || c.Queue < 16*1500 {
				t.Errorf("%s: %+v", p.Name, c)
			}
		}
		if p.Description == "" || p.Source == "" || p.Up.Rate > p.Down.Rate {
			t.Errorf("%+v", p)
		}
	}
	want := strings.Fields("3G 5G bad cable data-center dial-up DSL EDGE fast-3G fibre LTE satellite-GEO satellite-LEO slow-3G Wi-Fi")
	if !slices.Equal(names, want) {
		t.Errorf("profiles: %q", names)
	}
}

func TestProfileByName(t *testing.T) {
	for _, name := range []string{"DSL", "dsl", "Dsl"} {
		p, err := impair.Profile(name)
		if err != nil || p.Name != "DSL" || p.Down.Rate != 1_500_000 || p.Up.Rate != 384_000 || p.Down.Delay+p.Up.Delay != 50*time.Millisecond {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	_, err := impair.Profile("6G")
	want := `impair: no profile "6G": there are 3G, 5G, bad, cable, data-center, dial-up, DSL, EDGE, fast-3G, fibre, LTE, ` +
		"satellite-GEO, satellite-LEO, slow-3G, Wi-Fi"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestAProfileIsWhatItSays sends two packets each way.
func TestAProfileIsWhatItSays(t *testing.T) {
	for _, p := range impair.Profiles() {
		for _, c := range []impair.Config{p.Down, p.Up} {
			c.Loss, c.Burst = 0, impair.GilbertElliott{}
			alone := time.Duration(1500 * 8 * 1e9 / c.Rate)
			got := dues(newLine(t, c), []packet{{length: 1500}, {length: 1500}}, true)
			if got[0] < alone+c.Delay-c.Jitter || got[1] > 2*(alone+1)+c.Delay+c.Jitter {
				t.Errorf("%s: %v with %+v", p.Name, got, c)
			}
		}
	}
}
