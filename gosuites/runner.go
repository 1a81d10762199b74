package gosuites

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Timeout is how long the tests of one suite may take.
const Timeout = 5 * time.Minute

// A Runner runs suites.
type Runner struct {
	// Overlay is the file that overlay.Write wrote.
	Overlay string
	// Dir is for what the processes leave behind.
	Dir string
	// Seed is that of the lossy line.
	Seed uint64
}

// Isolated tells whether processes can run in a network namespace of their own,
// where the kernel reaches nothing, itself included.
var Isolated = sync.OnceValue(func() bool {
	return exec.Command("unshare", "--net", "true").Run() == nil
})

// Run runs a suite, or only the named tests of it, one at a time and with their
// subtests. The counters are the sums of what the processes' hosts counted.
func (r *Runner) Run(ctx context.Context, s Suite, m Mode, only []string) (*Result, map[string]uint64, error) {
	report, err := os.MkdirTemp(r.Dir, "report")
	if err != nil {
		return nil, nil, err
	}
	// The time includes that of compiling, which the first run does for all.
	ctx, cancel := context.WithTimeout(ctx, 3*Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", r.args(s, m, only)...)
	cmd.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOPROXY=off",
		"BERTH_REPORT="+report, "BERTH_LINE="+string(m), "BERTH_SEED="+strconv.FormatUint(r.Seed, 10))
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if _, failed := errors.AsType[*exec.ExitError](cmd.Run()); failed && stdout.Len() == 0 {
		return nil, nil, fmt.Errorf("gosuites: %s: %s", strings.Join(cmd.Args, " "), stderr.String())
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("gosuites: %s: %w", strings.Join(cmd.Args, " "), err)
	}
	res, err := Parse(&stdout)
	if err != nil {
		return nil, nil, err
	}
	counters, err := readCounters(report)
	return res, counters, err
}

func (r *Runner) args(s Suite, m Mode, only []string) []string {
	args := []string{"test", "-json", "-vet=off", "-timeout", Timeout.String()}
	if m != Kernel {
		args = append(args, "-count=1", "-overlay", r.Overlay)
		if Isolated() {
			args = append(args, "-exec", "unshare --net")
		}
	}
	if s.Short {
		args = append(args, "-short")
	}
	if s.Skip != "" {
		args = append(args, "-skip", s.Skip)
	}
	if only != nil {
		args = append(args, "-parallel=1", "-run", "^("+strings.Join(only, "|")+")$")
	}
	return append(args, s.Package)
}

// readCounters adds up the reports in a directory.
func readCounters(dir string) (map[string]uint64, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.counters"))
	if err != nil {
		return nil, err
	}
	sums := make(map[string]uint64)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(b)) {
			var counter string
			var value uint64
			if _, err := fmt.Sscan(line, &counter, &value); err != nil {
				return nil, fmt.Errorf("gosuites: %s: %q: %w", name, line, err)
			}
			sums[counter] += value
		}
	}
	return sums, nil
}
