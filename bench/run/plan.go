package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/berth/bench/internal/netns"
)

// A Record is what came out of a trial.
type Record struct {
	Contender, Workload string
	MTU, Rep            int
	Err                 string `json:",omitempty"`
	Metrics             map[string]float64
}

// settings are the flags.
type settings struct {
	contenders, workloads, mtus string
	berth, also, from, out      string
	reps                        int
	warm, time                  time.Duration
	verbose                     bool
}

func (s *settings) parse(args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&s.contenders, "contenders", "*", "contenders: names or globs, separated by commas")
	flags.StringVar(&s.workloads, "workloads", "*", "workloads: names or globs, separated by commas")
	flags.StringVar(&s.mtus, "mtu", "1500,65520", "MTUs of the program's interface, separated by commas")
	flags.IntVar(&s.reps, "reps", 3, "repetitions")
	flags.StringVar(&s.berth, "berth", "", "the berth to measure: a `file`, readable by all; without one it is built")
	flags.StringVar(&s.also, "also", "", "a second one beside it, `NAME=FILE`")
	flags.StringVar(&s.out, "out", "", "append every trial to this `file`")
	flags.StringVar(&s.from, "from", "", "print the table of earlier trials in this `file`, and measure nothing")
	flags.DurationVar(&s.warm, "warm", 500*time.Millisecond, "time before measuring")
	flags.DurationVar(&s.time, "time", 2*time.Second, "time of measuring")
	flags.BoolVar(&s.verbose, "v", false, "print every trial to standard error")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? -h tells the flags", flags.Arg(0))
	}
	return nil
}

// measure does all trials and prints the table.
func measure(ctx context.Context, args []string, out io.Writer) error {
	var s settings
	if err := s.parse(args); err != nil {
		return err
	}
	if s.from != "" {
		records, err := load(s.from)
		if err != nil {
			return err
		}
		return write(out, records)
	}
	dir, err := os.MkdirTemp("", "berth-run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := s.install(ctx, dir); err != nil {
		return err
	}
	jobs, err := s.jobs(filepath.Join(dir, "run"))
	if err != nil {
		return err
	}
	var records []Record
	for rep := range s.reps {
		for _, j := range jobs {
			if ctx.Err() != nil {
				return write(out, records)
			}
			j.Rep = rep
			r := j.do(ctx)
			records = append(records, r)
			if err := s.note(r); err != nil {
				return err
			}
		}
	}
	return write(out, records)
}

// install puts the programs where an ordinary user may execute them.
func (s *settings) install(ctx context.Context, dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "run"), self, 0o755); err != nil {
		return err
	}
	if err := os.Setenv("PATH", os.Getenv("PATH")+":"+dir); err != nil {
		return err
	}
	for _, c := range contenders {
		if !match(s.contenders, c.name) {
			continue
		}
		if err := c.build(ctx, dir); err != nil {
			fmt.Fprintln(os.Stderr, err) // it is left out
		}
	}
	if s.berth != "" {
		return nil
	}
	s.berth = filepath.Join(dir, "berth")
	// In its own module: this one does not know what the command needs.
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "example.com/berth").Output()
	if err != nil {
		return fmt.Errorf("where berth is: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", s.berth, "./cmd/berth")
	build.Dir = strings.TrimSpace(string(module))
	if b, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build berth: %w\n%s", err, b)
	}
	return nil
}

// jobs are the trials of each repetition: contenders of one row follow each other.
func (s *settings) jobs(program string) (jobs []Job, err error) {
	field := slices.Clone(contenders)
	if name, file, ok := strings.Cut(s.also, "="); ok {
		second := field[0]
		second.name, second.berth = "berth-"+name, file
		field = slices.Insert(field, 1, second)
	}
	for text := range strings.SplitSeq(s.mtus, ",") {
		mtu, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("-mtu %q: want numbers such as 1500,65520", s.mtus)
		}
		for _, w := range workloads {
			for _, c := range field {
				if !match(s.workloads, w.name) || !match(s.contenders, c.name) {
					continue
				}
				if missing := c.missing(); missing != "" {
					fmt.Fprintf(os.Stderr, "%s is left out: there is no %s\n", c.name, missing)
					continue
				}
				j := Job{
					Contender: c.name, Workload: w.name, MTU: mtu, Warm: s.warm, Time: s.time,
					Program: program, Berth: s.berth, Target: c.target,
				}
				if c.berth != "" {
					j.Berth = c.berth
				}
				jobs = append(jobs, j)
			}
		}
	}
	if len(jobs) == 0 {
		return nil, errors.New("nothing to measure")
	}
	return jobs, nil
}

// match tells whether a name is in a list of names and globs.
func match(list, name string) bool {
	for pattern := range strings.SplitSeq(list, ",") {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}

// do has a process in a namespace of its own do the trial.
func (j Job) do(ctx context.Context) Record {
	ctx, cancel := context.WithTimeout(ctx, j.Warm+j.Time+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, j.Program, "outside", j.arg())
	cmd.SysProcAttr = netns.Clone()
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	cmd.WaitDelay = time.Second
	r := Record{Contender: j.Contender, Workload: j.Workload, MTU: j.MTU, Rep: j.Rep}
	err := cmd.Run()
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &r.Metrics)
	}
	if err != nil {
		r.Err = fmt.Sprintf("%v: %s", err, bytes.TrimSpace(problem.Bytes()))
	}
	return r
}

// note keeps a record, and tells of it.
func (s *settings) note(r Record) error {
	if s.verbose || r.Err != "" {
		w := workloadNamed(r.Workload)
		fmt.Fprintf(os.Stderr, "%d %-16s %-7s %5d %10.4g %s, others %.1f  %s\n",
			r.Rep, r.Contender, r.Workload, r.MTU, r.Metrics[w.primary], w.unit, r.Metrics["other_cores"], r.Err)
	}
	if s.out == "" {
		return nil
	}
	f, err := os.OpenFile(s.out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(r), f.Close())
}

// load reads the records of a file.
func load(name string) (all []Record, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, lines.Err()
}
