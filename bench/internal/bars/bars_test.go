package bars

import (
	"strings"
	"testing"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/nets"
	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/workload"
)

// What a bar names has to be there to be measured.
func TestBarsNameWhatThereIs(t *testing.T) {
	for _, b := range All {
		for _, name := range append([]string{b.Net}, b.To...) {
			n, ok := nets.ByName(name)
			if !ok {
				t.Errorf("%s: there is no %s", b.What, name)
				continue
			}
			w, ok := workload.ByName(b.Workload)
			if name != b.Net {
				w, ok = workload.ByName(b.toWorkload())
			}
			if !ok || !runner.Fits(n, w) {
				t.Errorf("%s: %s has no %s", b.What, name, w.Name)
			}
		}
	}
}

// The best of the peers counts, within one repetition.
func TestReached(t *testing.T) {
	run := func(rep int, net, workload, metric string, v float64) runner.Record {
		return runner.Record{Net: net, Workload: workload, Procs: 2, Rep: rep, Metrics: host.Metrics{metric: v}}
	}
	records := []runner.Record{
		run(0, large, "bulk1", "gbps", 60), run(0, "kernel-lo", "bulk1", "gbps", 20),
		run(1, large, "bulk1", "gbps", 30), run(1, "kernel-lo", "bulk1", "gbps", 10),
		run(0, "gv-wire1500-hg", "bulk1", "gbps", 40), run(0, "gv-wire64k-nc", "bulk1", "gbps", 10),
		run(0, large, "rr1", "p50_us", 2), run(0, "kernel-lo", "rr1", "p50_us", 20),
		run(0, large, "idle", "bytes_per_end", 2000),
	}
	var b strings.Builder
	if err := Write(&b, records, 0.25); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| bulk, 64 KB segments, to the kernel's loopback | kernel-lo | >= 2 x | 3 | ok |",
		"| bulk, 64 KB segments, to gVisor | gv-wire1500-hg | >= 2.5 x | 1.5 | missed |",
		"| request of a byte, p50, to the kernel's loopback | kernel-lo | <= 0.143 x | 0.1 | ok |",
		"| idle connection |  | <= 1536 bytes an end | 2000 | missed |",
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("%s\nis not in\n%s", want, b.String())
		}
	}
}
