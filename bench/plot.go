package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/berth/bench/internal/chart"
	"example.com/berth/bench/internal/nets"
	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/stat"
	"example.com/berth/bench/internal/table"
)

// stackNames are those of the stacks in plots.
var stackNames = map[string]string{"berth": "berth", "gv": "gVisor", "kernel": "Linux"}

// plot draws what was measured over MTUs, round trips and losses.
func plot(_ context.Context, args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("plot", flag.ContinueOnError)
	from := flags.String("from", "results/sweep.jsonl", "`files` of runs over MTUs, round trips and losses")
	to := flags.String("to", "plots", "`directory` for the plots")
	noisy := flags.Float64("noisy", 0.25, "cores used by others above which a run is left out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	records, err := runner.Load(strings.Split(*from, ",")...)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*to, 0o755); err != nil {
		return err
	}
	sets := table.Quiet(records, *noisy)
	for file, c := range charts(sets) {
		if err := writeChart(filepath.Join(*to, file), c); err != nil {
			return err
		}
	}
	return nil
}

func charts(sets map[table.Key]table.Set) map[string]*chart.Chart {
	mtu := &chart.Chart{
		Title: "One stream in memory, checksums; Linux: loopback with its offloads",
		X:     "MTU (bytes)", Y: "Gbit/s", LegendBelow: true,
	}
	rtt := &chart.Chart{Title: "200 Mbit/s, queue of one BDP, no loss: the first 10 s", X: "round trip (ms)", Y: "Mbit/s"}
	loss := &chart.Chart{Title: "200 Mbit/s, 20 ms, loss both ways: the first 10 s", X: "packets lost (%)", Y: "Mbit/s"}
	for _, stack := range nets.SweepStacks {
		add := func(c *chart.Chart) *chart.Line {
			c.Lines = append(c.Lines, chart.Line{Name: stackNames[stack]})
			return &c.Lines[len(c.Lines)-1]
		}
		l := add(mtu)
		for _, x := range nets.SweepMTUs {
			addPoint(l, sets, nets.SweepMTU(stack, x), "bulk1", "gbps", float64(x))
		}
		l = add(rtt)
		for _, x := range nets.SweepRTTs {
			addPoint(l, sets, nets.SweepRTT(stack, x), "goodput", "mbps", float64(x)/float64(time.Millisecond))
		}
		l = add(loss)
		for _, x := range nets.SweepLosses {
			addPoint(l, sets, nets.SweepLoss(stack, x), "goodput", "mbps", 100*x)
		}
	}
	for _, c := range []*chart.Chart{mtu, rtt, loss} {
		for _, l := range c.Lines {
			for _, p := range l.Points {
				c.Ticks = append(c.Ticks, p.X)
			}
		}
	}
	return map[string]*chart.Chart{"mtu.svg": mtu, "rtt.svg": rtt, "loss.svg": loss}
}

// addPoint adds the median of a net's runs, if there are any.
func addPoint(l *chart.Line, sets map[table.Key]table.Set, net, workload, metric string, x float64) {
	const procs = 2
	v := sets[table.Key{Net: net, Workload: workload, Procs: procs}].Values(metric)
	if len(v) > 0 && stat.Median(v) > 0 {
		low := max(stat.Quantile(v, 0), stat.Median(v)/100) // a logarithm has no zero
		l.Points = append(l.Points, chart.Point{X: x, Y: stat.Median(v), Low: low, High: stat.Quantile(v, 1)})
	}
}

func writeChart(file string, c *chart.Chart) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return c.Write(f)
}
