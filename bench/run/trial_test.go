package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the command itself, for the processes that it
// starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestTrials does each workload without a contender. Nothing that is timed is
// asserted: only that something comes back, whole.
func TestTrials(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, for namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs iproute2")
	}
	dir, err := os.MkdirTemp("", "run-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s := settings{contenders: "loopback", workloads: "*", mtus: "1500", berth: "not needed", warm: time.Millisecond}
	if err := s.install(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	for s.time = 50 * time.Millisecond; ; s.time *= 4 {
		jobs, err := s.jobs(filepath.Join(dir, "run"))
		if err != nil || len(jobs) != len(workloads) {
			t.Fatalf("%d jobs, %v", len(jobs), err)
		}
		idle := ""
		for _, j := range jobs {
			r := j.do(context.Background())
			if r.Err != "" {
				t.Fatalf("%s: %s", j.Workload, r.Err)
			}
			w := workloadNamed(j.Workload)
			if w.primary != "rss_MB" && r.Metrics[w.primary] == 0 { // there is nobody whose memory it would be
				idle = j.Workload
			}
		}
		if idle == "" {
			return
		}
		if s.time > 10*time.Second {
			t.Fatalf("nothing was done in %v of %s", s.time, idle)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"-mtu big", "want numbers"},
		{"-workloads nothing", "nothing to measure"},
		{"more", "what is"},
		{"-from /nonexistent", "no such file"},
	} {
		err := dispatch(append([]string{"-berth", "not needed"}, strings.Fields(tt.args)...), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.says)
		}
	}
}
