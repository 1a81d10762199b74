// Package table shows records side by side: medians, spreads, ratios within a
// repetition, and what it cost.
package table

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/stat"
	"example.com/berth/bench/internal/workload"
)

// Enough is how many quiet runs make noisy ones dispensable.
const Enough = 3

// Table is what to show.
type Table struct {
	Records   []runner.Record
	Noisy     float64 // cores of others above which a run is noisy
	Reference string  // the net that ratios are against
	Hide      func(net string) bool
}

// Key is what the values of a set have in common.
type Key struct {
	Net, Workload string
	Procs         int
}

// Set are runs of one key, by repetition.
type Set map[int]runner.Record

// Values are those of a metric, in the order of repetitions.
func (s Set) Values(metric string) (v []float64) {
	for _, rep := range slices.Sorted(maps.Keys(s)) {
		if x, ok := s[rep].Metrics[metric]; ok {
			v = append(v, x)
		}
	}
	return v
}

// Median is that of a metric, 0 if no run has it.
func (s Set) Median(metric string) float64 { return stat.Median(s.Values(metric)) }

// Quiet sorts records that have no error, and leaves the noisy ones of a key out
// if Enough others remain.
func Quiet(records []runner.Record, noisy float64) map[Key]Set {
	all := map[Key]Set{}
	quiet := map[Key]int{}
	for _, r := range records {
		if r.Err != "" {
			continue
		}
		k := Key{r.Net, r.Workload, r.Procs}
		if all[k] == nil {
			all[k] = Set{}
		}
		all[k][r.Rep] = r
		if r.Metrics["other_cores"] <= noisy {
			quiet[k]++
		}
	}
	for k, s := range all {
		if quiet[k] >= Enough {
			maps.DeleteFunc(s, func(_ int, r runner.Record) bool { return r.Metrics["other_cores"] > noisy })
		}
	}
	return all
}

// Ratios are those of a metric of one set to another's, within repetitions.
func Ratios(of, to Set, metric string) (v []float64) {
	for _, rep := range slices.Sorted(maps.Keys(of)) {
		if against, ok := to[rep]; ok && against.Metrics[metric] != 0 {
			v = append(v, of[rep].Metrics[metric]/against.Metrics[metric])
		}
	}
	return v
}

// costs are the metrics that tables show besides the primary one, if runs have
// them.
var costs = []string{
	"p99_us", "cpu_s_per_GB", "cpu_us_per_op", "allocs_per_mss", "allocs_per_op", "cpu_cores", "ctxsw_per_s",
	"gc_cpu_share", "loss", "retrans", "goroutines", "rss_B", "slab_B", "peak_GiB", "rss_MB", "other_cores",
}

// Write prints a table for each workload and GOMAXPROCS.
func (t Table) Write(w io.Writer) error {
	sets := Quiet(t.Records, t.Noisy)
	var procs []int
	for k := range sets {
		if !slices.Contains(procs, k.Procs) {
			procs = append(procs, k.Procs)
		}
	}
	slices.Sort(procs)
	slices.Reverse(procs)
	for _, wl := range workload.All {
		for _, p := range procs {
			if err := t.one(w, sets, wl, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// one prints a table, unless it would be empty.
func (t Table) one(w io.Writer, sets map[Key]Set, wl workload.Workload, procs int) error {
	rows := t.rows(sets, wl.Name, procs)
	if len(rows) == 0 {
		return nil
	}
	shown := slices.DeleteFunc(slices.Clone(costs), func(metric string) bool {
		return !slices.ContainsFunc(rows, func(k Key) bool { return len(sets[k].Values(metric)) > 0 })
	})
	better := ""
	if wl.LowerIsBetter {
		better = ", lower is better"
	}
	fmt.Fprintf(w, "\n### %s: %s (%s%s; GOMAXPROCS=%d)\n\n", wl.Name, wl.About, wl.Unit, better, procs)
	fmt.Fprintf(w, "| stack | n | median | spread | x %s | %s |\n", t.Reference, strings.Join(shown, " | "))
	fmt.Fprintf(w, "|---|---:|---:|---:|---:|%s\n", strings.Repeat("---:|", len(shown)))
	for _, k := range rows {
		s := sets[k]
		v := s.Values(wl.Primary)
		ratio := "-"
		if r := Ratios(s, sets[Key{t.Reference, k.Workload, procs}], wl.Primary); len(r) > 0 {
			ratio = fmt.Sprintf("%.2f", stat.Median(r))
		}
		fmt.Fprintf(w, "| %s | %d | %s | %.0f%% | %s |", k.Net, len(v), Number(stat.Median(v)), 100*stat.Spread(v), ratio)
		for _, metric := range shown {
			cell := ""
			if v := s.Values(metric); len(v) > 0 {
				cell = Number(stat.Median(v))
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// rows are the keys of a table, in the order in which they were measured.
func (t Table) rows(sets map[Key]Set, name string, procs int) (rows []Key) {
	for _, r := range t.Records {
		k := Key{r.Net, r.Workload, r.Procs}
		if r.Workload != name || r.Procs != procs || sets[k] == nil || slices.Contains(rows, k) {
			continue
		}
		if t.Hide == nil || !t.Hide(r.Net) {
			rows = append(rows, k)
		}
	}
	return rows
}

// Number shows three digits, or a whole number if it has more.
func Number(x float64) string {
	switch {
	case x >= 100 || x <= -100:
		return fmt.Sprintf("%.0f", x)
	case x != 0 && x < 0.001:
		return fmt.Sprintf("%.1e", x)
	}
	return fmt.Sprintf("%.3g", x)
}
