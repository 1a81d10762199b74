package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"example.com/berth/bench/internal/host"
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
		Conns: 100, Million: 200, MaxConns: 250_000, Block: 64 << 10,
	}
}

func TestWorkloadsOverBerth(t *testing.T) {
	for _, tt := range []struct {
		net  string
		only string // the one workload, if not all
	}{{"berth-wire1500", ""}, {"berth-wire1500-large", ""}, {"berth-loss20", "goodput"}} {
		n, ok := nets.ByName(tt.net)
		if !ok {
			t.Fatalf("there is no %s", tt.net)
		}
		for _, w := range workload.All {
			if !runner.Fits(n, w) || tt.only != "" && tt.only != w.Name {
				continue
			}
			t.Run(tt.net+"/"+w.Name, func(t *testing.T) {
				moves(t, short(), func(opts workload.Options) (host.Metrics, error) { return runner.Child(n, w, opts) }, w)
			})
		}
	}
}

// moves wants a run to get something done, if it is given the time for it.
func moves(t *testing.T, opts workload.Options, run func(workload.Options) (host.Metrics, error), w workload.Workload) {
	t.Helper()
	for ; opts.Time < 10*time.Second; opts.Time *= 4 {
		m, err := run(opts)
		if err != nil {
			t.Fatal(err)
		}
		if m[w.Primary] > 0 {
			return
		}
	}
	t.Errorf("%s is 0", w.Primary)
}

// Devices need a namespace, and so a process.
func TestDevices(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("namespaces and TUNs need root")
	}
	for _, name := range []string{"berth-tun", "berth-tun-vnet", "berth-packet"} {
		n, _ := nets.ByName(name)
		for _, workloadName := range []string{"bulk1", "bulk1r", "udp64"} {
			w, _ := workload.ByName(workloadName)
			moves(t, short(), func(opts workload.Options) (host.Metrics, error) {
				plan := runner.Plan{
					Jobs: []runner.Job{{Net: n, Workload: w, Procs: 2}},
					Reps: 1, Options: opts, Timeout: time.Minute,
				}
				records, err := plan.Run(t.Context())
				if err == nil && records[0].Err != "" {
					err = fmt.Errorf("%s over %s: %s", w.Name, name, records[0].Err)
				}
				if err != nil {
					return nil, err
				}
				return records[0].Metrics, nil
			}, w)
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

// The bars need many stacks and workloads; -nets and -workloads choose among these.
func TestBarsCanBeChosen(t *testing.T) {
	count := func(args ...string) (jobs, goodput int) {
		t.Helper()
		var s settings
		if err := s.parse(args); err != nil {
			t.Fatal(err)
		}
		all, err := s.jobs()
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			if j.Workload.Name == "goodput" {
				goodput++
			}
		}
		return len(all), goodput
	}
	all, goodput := count("-bars")
	if all <= goodput || goodput == 0 {
		t.Errorf("%d jobs, %d of them goodput", all, goodput)
	}
	if n, g := count("-bars", "-workloads", "goodput"); n != goodput || g != goodput {
		t.Errorf("-workloads goodput: %d jobs, %d of them goodput, want %d", n, g, goodput)
	}
	if n, _ := count("-bars", "-workloads", "goodput", "-nets", "*-loss20-bbr"); n != 2 {
		t.Errorf("and berth and Linux over one path: %d jobs", n)
	}
}
