// Command limits measures what this machine can do at best in each step of a
// TCP/IP stack in Go. It needs root: it makes network namespaces and TUNs.
//
//	go run ./limits
//	go run ./limits -only bare,tun
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"example.com/berth/bench/internal/limits"
	"example.com/berth/bench/internal/netns"
	"example.com/berth/bench/internal/stat"
)

func main() {
	reps := flag.Int("reps", 5, "repetitions, of which the median and the best are shown")
	only := flag.String("only", strings.Join(limits.Groups, ","), "groups of limits, separated by commas")
	inside := flag.Bool("inside", false, "set by the command itself: it is in its namespace")
	flag.Parse()
	if err := run(*reps, strings.Split(*only, ","), *inside); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run(reps int, only []string, inside bool) error {
	if !inside {
		cmd := exec.Command("/proc/self/exe", append([]string{"-inside"}, os.Args[1:]...)...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = netns.Clone()
		return cmd.Run()
	}
	if err := netns.Tune(); err != nil {
		return err
	}
	fmt.Println("| limit | median | best | unit |\n|---|---:|---:|---|")
	all := limits.All()
	for _, group := range limits.Groups {
		if slices.Contains(only, group) {
			for _, row := range all[group] {
				show(row, reps)
			}
		}
	}
	return nil
}

func show(row limits.Row, reps int) {
	var values []float64
	for range reps {
		values = append(values, row.Measure())
	}
	best := stat.Quantile(values, 0)
	if row.HigherIsBetter {
		best = stat.Quantile(values, 1)
	}
	fmt.Printf("| %s | %.4g | %.4g | %s |\n", row.Name, stat.Median(values), best, row.Unit)
}
