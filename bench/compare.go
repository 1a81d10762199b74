package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/workload"
)

// benchstat compares samples of benchmarks; this version of it.
const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

// compareCommits measures two commits in turn and lets benchstat compare them.
// The harness is that of this tree for both: only berth differs.
func compareCommits(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	nets := flags.String("nets", "berth-wire1500,berth-wire1500-large", "stacks: names or globs, separated by commas")
	workloads := flags.String("workloads", "bulk1,rr1,crr1,udp64,idle", "workloads: names or globs, separated by commas")
	procs := flags.String("procs", "2", "GOMAXPROCS")
	reps := flags.Int("reps", 10, "repetitions")
	keep := flags.String("keep", "", "keep the samples, in Go's format for benchmarks, in this `directory`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("compare takes two commits: compare HEAD~1 HEAD")
	}
	dir := *keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "berth-compare"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var sides []*side
	for i, commit := range flags.Args() {
		s, err := newSide(ctx, dir, fmt.Sprintf("%c", 'a'+i), commit)
		if err != nil {
			return err
		}
		defer s.remove()
		sides = append(sides, s)
	}
	measure := []string{"-reps", "1", "-procs", *procs, "-nets", *nets, "-workloads", *workloads}
	for range *reps {
		for _, s := range sides { // in turn, so that noise hits both
			if err := s.measure(ctx, measure); err != nil {
				return err
			}
		}
	}
	stat := []string{"run", benchstat}
	for _, s := range sides {
		if err := s.write(); err != nil {
			return err
		}
		stat = append(stat, s.commit+"="+s.samples())
	}
	cmd := exec.CommandContext(ctx, "go", stat...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	return cmd.Run()
}

// side is one of the commits, checked out and built.
type side struct{ dir, name, commit string }

func (s *side) tree() string    { return filepath.Join(s.dir, s.name+"-tree") }
func (s *side) program() string { return filepath.Join(s.dir, s.name+"-bench") }
func (s *side) records() string { return filepath.Join(s.dir, s.name+".jsonl") }
func (s *side) samples() string { return filepath.Join(s.dir, s.name+".txt") }

// newSide checks a commit out beside this tree, puts this tree's harness in, and
// builds it.
func newSide(ctx context.Context, dir, name, commit string) (*side, error) {
	s := &side{dir, name, commit}
	if err := command(ctx, "", "git", "worktree", "add", "--quiet", "--detach", s.tree(), commit); err != nil {
		return nil, err
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	harness := filepath.Join(s.tree(), "bench")
	err = errors.Join(
		os.RemoveAll(harness),
		os.CopyFS(harness, os.DirFS(here)),
		command(ctx, harness, "go", "build", "-o", s.program(), "."),
	)
	if err != nil {
		s.remove()
		return nil, fmt.Errorf("%s: %w", commit, err)
	}
	return s, nil
}

// remove takes the checkout away again.
func (s *side) remove() {
	_ = command(context.Background(), "", "git", "worktree", "remove", "--force", s.tree())
}

// measure runs one repetition.
func (s *side) measure(ctx context.Context, args []string) error {
	return command(ctx, "", s.program(), append(args, "-out", s.records())...)
}

// command runs a program; its error has what that said.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// metrics are what benchstat is given of a run, by the names of units that it
// knows the better direction of, where it does.
var metrics = map[string]string{
	"p50_us": "p50-us", "cpu_us_per_op": "cpu-us/op", "cpu_s_per_GB": "cpu-s/GB", "allocs_per_op": "allocs/op",
	"bytes_per_end": "bytes/end",
}

// write turns records into Go's format for benchmarks.
func (s *side) write() error {
	all, err := runner.Load(s.records())
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range all {
		if r.Err != "" {
			return fmt.Errorf("%s: %s over %s: %s", s.commit, r.Workload, r.Net, r.Err)
		}
		b.WriteString(sample(r))
	}
	return os.WriteFile(s.samples(), []byte(b.String()), 0o644)
}

// sample is a line of Go's format for benchmarks.
func sample(r runner.Record) string {
	line := fmt.Sprintf("Benchmark/workload=%s/net=%s-%d 1", r.Workload, r.Net, r.Procs)
	w, _ := workload.ByName(r.Workload)
	shown := map[string]float64{}
	if !w.LowerIsBetter {
		shown[strings.ReplaceAll(w.Primary, "_per_", "/")] = r.Metrics[w.Primary]
	}
	for metric, unit := range metrics {
		if v, ok := r.Metrics[metric]; ok {
			shown[unit] = v
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(shown)) {
		v, _ := json.Marshal(shown[unit])
		line += " " + string(v) + " " + unit
	}
	return line + "\n"
}
