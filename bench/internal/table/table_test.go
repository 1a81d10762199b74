package table

import (
	"strings"
	"testing"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/runner"
)

func record(rep int, net string, gbps, others float64) runner.Record {
	return runner.Record{
		Net: net, Workload: "bulk1", Procs: 2, Rep: rep,
		Metrics: host.Metrics{"gbps": gbps, "other_cores": others},
	}
}

// Noisy runs are left out as soon as there are enough others.
func TestQuiet(t *testing.T) {
	var records []runner.Record
	for rep, others := range []float64{0, 1, 0.1, 2, 0.2} {
		records = append(records, record(rep, "a", float64(rep), others))
		if rep < 4 {
			records = append(records, record(rep, "b", float64(rep), others))
		}
	}
	sets := Quiet(records, 0.25)
	for net, want := range map[string]int{"a": 3, "b": 4} {
		if got := len(sets[Key{net, "bulk1", 2}]); got != want {
			t.Errorf("%s has %d runs, want %d", net, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	records := []runner.Record{
		record(0, "kernel-lo", 10, 0), record(0, "berth", 30, 0),
		record(1, "kernel-lo", 20, 0), record(1, "berth", 40, 0),
		{Net: "broken", Workload: "bulk1", Procs: 2, Err: "no"},
	}
	var b strings.Builder
	if err := (Table{Records: records, Noisy: 0.25, Reference: "kernel-lo"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### bulk1: one stream from A to B (Gbit/s; GOMAXPROCS=2)",
		"| kernel-lo | 2 | 15 | 67% | 1.00 | 0 |",
		"| berth | 2 | 35 | 29% | 2.50 | 0 |",
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("%s\nis not in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "broken") {
		t.Error("a run that failed is shown")
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1234.5: "1234", 12.345: "12.3", 0.01234: "0.0123", 0.0000123: "1.2e-05"} {
		if got := Number(x); got != want {
			t.Errorf("%v is %s, want %s", x, got, want)
		}
	}
}
