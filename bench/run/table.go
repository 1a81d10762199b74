package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/berth/bench/internal/stat"
)

// A row is what is compared: a workload at an MTU.
type row struct {
	workload string
	mtu      int
}

// results are records without an error, by row, contender and repetition.
type results map[row]map[string]map[int]Record

// sorted are the contenders, in their order, and all results.
func sorted(records []Record) (names []string, all results) {
	all = results{}
	for _, r := range records {
		if !slices.Contains(names, r.Contender) {
			names = append(names, r.Contender)
		}
		if r.Err != "" {
			continue
		}
		k := row{r.Workload, r.MTU}
		if all[k] == nil {
			all[k] = map[string]map[int]Record{}
		}
		if all[k][r.Contender] == nil {
			all[k][r.Contender] = map[int]Record{}
		}
		all[k][r.Contender][r.Rep] = r
	}
	return names, all
}

// median is that of a metric over repetitions.
func median(of map[int]Record, metric string) float64 {
	var v []float64
	for _, r := range of {
		v = append(v, r.Metrics[metric])
	}
	return stat.Median(v)
}

// ratio is the median of berth's value to the best of some contenders, each
// repetition by itself, so that more than 1 is better; 0 if there is none.
func ratio(of map[string]map[int]Record, against []string, w workload) float64 {
	var v []float64
	for rep, mine := range of["berth"] {
		var best float64
		for _, name := range against {
			r, ok := of[name][rep]
			if !ok {
				continue
			}
			x := stat.Ratio(mine.Metrics[w.primary], r.Metrics[w.primary])
			if w.lowerIsBetter {
				x = stat.Ratio(1, x)
			}
			if best == 0 || x < best {
				best = x
			}
		}
		if best > 0 {
			v = append(v, best)
		}
	}
	return stat.Median(v)
}

// write prints the table of speeds and the one of costs.
func write(out io.Writer, records []Record) error {
	names, all := sorted(records)
	var rivals, userTCP []string
	for _, name := range names {
		if c := contenderNamed(name); c.needs != nil {
			rivals = append(rivals, name)
			if c.userTCP {
				userTCP = append(userTCP, name)
			}
		}
	}
	fmt.Fprintf(out, "| | MTU | %s | berth to the best | to the best user-space TCP |\n|---|---:|%s---:|---:|\n",
		strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	each(all, func(k row, w workload, of map[string]map[int]Record) {
		fmt.Fprintf(out, "| %s, %s | %d |", w.about, w.unit, k.mtu)
		for _, name := range names {
			cell(out, of[name], w.primary)
		}
		fmt.Fprintf(out, " %.2f | %.2f |\n", ratio(of, rivals, w), ratio(of, userTCP, w))
	})
	fmt.Fprintf(out, "\nCPU time of the contender's processes:\n\n| | MTU | %s |\n|---|---:|%s\n",
		strings.Join(names, " | "), strings.Repeat("---:|", len(names)))
	each(all, func(k row, w workload, of map[string]map[int]Record) {
		metric, unit := "cpu_us_per_op", "us each"
		switch w.primary {
		case "gbps":
			metric, unit = "cpu_s_per_GB", "s a GB"
		case "rss_MB":
			return
		}
		fmt.Fprintf(out, "| %s, %s | %d |", w.about, unit, k.mtu)
		for _, name := range names {
			cell(out, of[name], metric)
		}
		fmt.Fprintln(out)
	})
	others, n := 0.0, 0
	for _, r := range records {
		if r.Err == "" {
			others, n = others+r.Metrics["other_cores"], n+1
		}
	}
	_, err := fmt.Fprintf(out, "\nOther processes used %.2f cores meanwhile.\n", stat.Ratio(others, float64(n)))
	return err
}

// cell is a median, or nothing if there is none.
func cell(out io.Writer, of map[int]Record, metric string) {
	if len(of) == 0 {
		fmt.Fprint(out, " |")
		return
	}
	fmt.Fprintf(out, " %.3g |", median(of, metric))
}

// each calls f for all rows, in the order of workloads.
func each(all results, f func(row, workload, map[string]map[int]Record)) {
	for _, w := range workloads {
		var mtus []int
		for k := range all {
			if k.workload == w.name {
				mtus = append(mtus, k.mtu)
			}
		}
		slices.Sort(mtus)
		for _, mtu := range mtus {
			k := row{w.name, mtu}
			f(k, w, all[k])
		}
	}
}
