package main

import (
	"os"
	"testing"
	"time"

	"example.com/berth/bench/internal/nets"
	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/workload"
)

// TestMain lets the test binary be the command itself, for the processes that it
// starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		main()
		return
	}
	os.Exit(m.Run())
}

// short are options that make a run last no longer than it has to. Nothing that
// is timed is asserted: only that data arrive, whole.
func short() workload.Options {
	return workload.Options{
		Warm: 20 * time.Millisecond, Time: 100 * time.Millisecond,
		Conns: 100, Million: 200, MaxConns: 60_000, Block: 64 << 10,
	}
}

func TestWorkloadsOverBerth(t *testing.T) {
	for _, name := range []string{"berth-wire1500", "berth-wire1500-large", "berth-loss20"} {
		n, ok := nets.ByName(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		for _, w := range workload.All {
			if !runner.Fits(n, w) {
				continue
			}
			t.Run(name+"/"+w.Name, func(t *testing.T) {
				m, err := runner.Child(n, w, short())
				if err != nil {
					t.Fatal(err)
				}
				if m[w.Primary] <= 0 {
					t.Errorf("%s is %v", w.Primary, m[w.Primary])
				}
			})
		}
	}
}

// Devices need a namespace, and so a process.
func TestDevices(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("namespaces and TUNs need root")
	}
	plan := runner.Plan{Reps: 1, Options: short(), Timeout: time.Minute}
	for _, name := range []string{"berth-tun", "berth-tun-vnet", "berth-packet"} {
		n, _ := nets.ByName(name)
		for _, workloadName := range []string{"bulk1", "bulk1r", "udp64"} {
			w, _ := workload.ByName(workloadName)
			plan.Jobs = append(plan.Jobs, runner.Job{Net: n, Workload: w, Procs: 2})
		}
	}
	records, err := plan.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		w, _ := workload.ByName(r.Workload)
		if r.Err != "" || r.Metrics[w.Primary] <= 0 {
			t.Errorf("%s over %s: %v %s", r.Workload, r.Net, r.Metrics[w.Primary], r.Err)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range nets.All() {
		if seen[n.Name] {
			t.Errorf("two nets are called %s", n.Name)
		}
		seen[n.Name] = true
	}
}
