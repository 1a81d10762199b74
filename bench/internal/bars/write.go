package bars

import (
	"fmt"
	"io"
	"slices"

	"example.com/berth/bench/internal/runner"
	"example.com/berth/bench/internal/table"
)

// Write prints a row for each bar with what is reached for each GOMAXPROCS that
// was measured.
func Write(w io.Writer, records []runner.Record, noisy float64) error {
	sets := table.Quiet(records, noisy)
	procs := processors(sets)
	fmt.Fprint(w, "| bar | against | goal |")
	for _, p := range procs {
		fmt.Fprintf(w, " GOMAXPROCS=%d | |", p)
	}
	fmt.Fprint(w, "\n|---|---|---:|")
	for range procs {
		fmt.Fprint(w, "---:|---|")
	}
	fmt.Fprintln(w)
	for _, b := range All {
		if err := b.write(w, sets, procs); err != nil {
			return err
		}
	}
	return nil
}

func processors(sets map[table.Key]table.Set) (procs []int) {
	for k := range sets {
		if !slices.Contains(procs, k.Procs) {
			procs = append(procs, k.Procs)
		}
	}
	slices.Sort(procs)
	slices.Reverse(procs)
	return procs
}

// write prints a row, if there is anything to say.
func (b Bar) write(w io.Writer, sets map[table.Key]table.Set, procs []int) error {
	var peer, cells string
	measured := false
	for _, p := range procs {
		value, against, ok := b.reached(sets, p)
		if !ok {
			cells += " | |"
			continue
		}
		measured = true
		if peer == "" {
			peer = against
		}
		verdict := "missed"
		if b.met(value) {
			verdict = "ok"
		}
		cells += fmt.Sprintf(" %s | %s |", table.Number(value), verdict)
	}
	if !measured {
		return nil
	}
	_, err := fmt.Fprintf(w, "| %s | %s | %s |%s\n", b.What, peer, b.goal(), cells)
	return err
}

// goal is what is to be reached, in words.
func (b Bar) goal() string {
	sign, unit := ">=", "x"
	if b.AtMost {
		sign = "<="
	}
	if len(b.To) == 0 {
		unit = b.Unit
	}
	return fmt.Sprintf("%s %s %s", sign, table.Number(b.Goal), unit)
}
