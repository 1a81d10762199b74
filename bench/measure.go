package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"example.com/berth/bench/internal/bars"
	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/nets"
	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/table"
	"example.com/berth/bench/internal/workload"
)

// defaults are the options of workloads unless flags say otherwise.
func defaults() workload.Options {
	return workload.Options{
		Warm: 500 * time.Millisecond, Time: 2 * time.Second,
		Conns: 4000, Million: 1_000_000, MaxConns: 250_000, Block: 64 << 10,
	}
}

// settings are the flags of measure.
type settings struct {
	nets, workloads, procs string
	from, reference        string
	list, bars, million    bool
	verbose                bool
	plan                   runner.Plan
}

func (s *settings) parse(args []string) error {
	s.plan.Options = defaults()
	o := &s.plan.Options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.nets, "nets", "berth-wire*,berth-tun*,kernel-lo,kernel-veth,gv-wire1500*,gv-tun*,lneto*,netpipe", "stacks: names or globs, separated by commas")
	flags.StringVar(&s.workloads, "workloads", "bulk1,rr1", "workloads: names or globs, separated by commas")
	flags.StringVar(&s.procs, "procs", "2", "values of GOMAXPROCS, separated by commas")
	flags.IntVar(&s.plan.Reps, "reps", 5, "repetitions")
	flags.StringVar(&s.reference, "ref", "kernel-lo", "the stack that ratios of tables are against")
	flags.BoolVar(&s.list, "list", false, "list stacks and workloads, and measure nothing")
	flags.BoolVar(&s.bars, "bars", false, "measure what the bars need, of it what -nets and -workloads name if they are given, and print their table")
	flags.BoolVar(&s.million, "million", false, "measure a million connections in one process, which takes minutes")
	flags.StringVar(&s.plan.Out, "out", "", "append every run to this `file`")
	flags.StringVar(&s.from, "from", "", "print tables of earlier runs in these `files`, and measure nothing")
	flags.BoolVar(&s.verbose, "v", false, "print every run to standard error")
	flags.DurationVar(&s.plan.Quiet, "quiet", 0, "wait no longer than this for a quiet machine before each run")
	flags.Float64Var(&s.plan.Noisy, "noisy", 0.25, "cores used by others above which a run is left out")
	flags.DurationVar(&s.plan.Timeout, "timeout", 90*time.Second, "the longest that a run may take")
	flags.DurationVar(&o.Warm, "warm", o.Warm, "time before measuring")
	flags.DurationVar(&o.Time, "time", o.Time, "time of measuring")
	flags.IntVar(&o.Conns, "conns", o.Conns, "connections of accept and idle")
	flags.IntVar(&o.Million, "n", o.Million, "connections of million")
	flags.IntVar(&o.MaxConns, "maxconns", o.MaxConns, "the most connections of crr")
	flags.IntVar(&o.Block, "block", o.Block, "bytes of a write and a read of bulk data")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.bars { // of what they need all, unless a choice was made
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		if !given["nets"] {
			s.nets = "*"
		}
		if !given["workloads"] {
			s.workloads = "*"
		}
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? -h tells the flags", flags.Arg(0))
	}
	return nil
}

// measure runs workloads over stacks and prints tables.
func measure(ctx context.Context, args []string, out io.Writer) error {
	var s settings
	if err := s.parse(args); err != nil {
		return err
	}
	if s.list {
		return list(out)
	}
	if s.million {
		s.nets, s.workloads, s.plan.Reps, s.plan.Timeout = "berth-wire1500-large", "million", 1, 30*time.Minute
	}
	var records []runner.Record
	var err error
	if s.from != "" {
		if records, err = runner.Load(strings.Split(s.from, ",")...); err != nil {
			return err
		}
	} else {
		if s.plan.Jobs, err = s.jobs(); err != nil {
			return err
		}
		s.plan.Report = s.report
		if records, err = s.plan.Run(ctx); err != nil && len(records) == 0 {
			return err
		}
	}
	show := table.Table{Records: records, Noisy: s.plan.Noisy, Reference: s.reference}
	if s.bars {
		return bars.Write(out, records, s.plan.Noisy)
	}
	show.Hide = func(net string) bool { return nets.IsSweep(net) && !strings.Contains(s.nets, net) }
	return show.Write(out)
}

// list prints what can be measured.
func list(out io.Writer) error {
	for _, n := range nets.All() {
		fmt.Fprintf(out, "net       %-22s %s\n", n.Name, n.About)
	}
	for _, w := range workload.All {
		fmt.Fprintf(out, "workload  %-22s %s\n", w.Name, w.About)
	}
	return nil
}

// report tells of a run.
func (s *settings) report(r runner.Record) {
	w, _ := workload.ByName(r.Workload)
	if s.verbose || r.Err != "" {
		fmt.Fprintf(os.Stderr, "%d %-22s %-10s %dP %10.4g %s, others %.1f  %s\n",
			r.Rep, r.Net, r.Workload, r.Procs, r.Metrics[w.Primary], w.Unit, r.Metrics["other_cores"], r.Err)
	}
}

// jobs are what to run in each repetition.
func (s *settings) jobs() (jobs []runner.Job, err error) {
	var procs []int
	for p := range strings.SplitSeq(s.procs, ",") {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-procs %q: want numbers such as 2,1", s.procs)
		}
		procs = append(procs, n)
	}
	wanted := func(n host.Net, w workload.Workload) bool {
		return match(s.nets, n.Name) && match(s.workloads, w.Name) && (!s.bars || bars.Needs(n.Name, w.Name))
	}
	for _, p := range procs {
		for _, w := range workload.All {
			for _, n := range nets.All() {
				if wanted(n, w) && runner.Fits(n, w) {
					jobs = append(jobs, runner.Job{Net: n, Workload: w, Procs: p})
				}
			}
		}
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("nothing to measure: -list shows stacks and workloads")
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
