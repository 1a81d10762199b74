package main

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		line string
		want process
		ok   bool
	}{
		{"42 (sh) S 7 42 42 0 -1 4194560 1 2 3 4 150 25 9 9 20 0 1", process{42, 7, 1750 * time.Millisecond}, true},
		{"42 (a ) b) (c) S 7 42 42 0 -1 4194560 1 2 3 4 1 0 0", process{42, 7, 10 * time.Millisecond}, true},
		{"42 (sh) S 7", process{}, false},
		{"42", process{}, false},
	}
	for _, tt := range tests {
		if got, ok := parseStat([]byte(tt.line)); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %v, %v; want %v, %v", tt.line, got, ok, tt.want, tt.ok)
		}
	}
}

func TestProcessesKnowThisOne(t *testing.T) {
	table := processes()
	if p := table[os.Getpid()]; p.parent != os.Getppid() {
		t.Errorf("the parent is %d, want %d", p.parent, os.Getppid())
	}
	if !descends(table, os.Getpid(), os.Getppid()) || descends(table, os.Getppid(), os.Getpid()) {
		t.Error("a child descends from its parent, and not the other way round")
	}
}

func TestRatiosAreToTheBest(t *testing.T) {
	record := func(contender, workload, metric string, rep int, v float64) Record {
		return Record{Contender: contender, Workload: workload, MTU: 1500, Rep: rep, Metrics: map[string]float64{metric: v}}
	}
	_, all := sorted([]Record{
		record("berth", "up1", "gbps", 0, 8), record("pasta", "up1", "gbps", 0, 4), record("slirp4netns", "up1", "gbps", 0, 2),
		record("berth", "up1", "gbps", 1, 6), record("pasta", "up1", "gbps", 1, 1), record("slirp4netns", "up1", "gbps", 1, 2),
		record("berth", "rr", "p50_us", 0, 40), record("pasta", "rr", "p50_us", 0, 30), record("slirp4netns", "rr", "p50_us", 0, 60),
		{Contender: "berth", Workload: "rr", MTU: 1500, Rep: 1, Err: "it failed"},
	})
	rivals := []string{"pasta", "slirp4netns", "gvisor-tap-vsock"}
	for _, tt := range []struct {
		workload string
		against  []string
		want     float64
	}{
		{"up1", rivals, 2.5},                 // of 8/4 and 6/2
		{"up1", rivals[1:], 3.5},             // of 8/2 and 6/2
		{"rr", rivals, 0.75},                 // less is better
		{"rr", []string{"slirp4netns"}, 1.5}, //
		{"rr", []string{"nobody"}, 0},
	} {
		if got := ratio(all[row{tt.workload, 1500}], tt.against, workloadNamed(tt.workload)); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s against %v is %v, want %v", tt.workload, tt.against, got, tt.want)
		}
	}
}

func TestTableHasWhatIsMissing(t *testing.T) {
	var out strings.Builder
	err := write(&out, []Record{
		{Contender: "berth", Workload: "rr", MTU: 1500, Metrics: map[string]float64{"p50_us": 40}},
		{Contender: "pasta", Workload: "rr", MTU: 1500, Err: "it failed"},
	})
	if err != nil || !strings.Contains(out.String(), "| a byte there and back, us p50 | 1500 | 40 | | 0.00 | 0.00 |") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
