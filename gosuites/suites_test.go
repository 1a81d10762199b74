package gosuites_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"example.com/berth/gosuites"
	"example.com/berth/gosuites/overlay"
)

var (
	full = flag.Bool("full", false, "run every suite in every mode, and all over the kernel")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the lossy line")
)

func TestSuites(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	dir := t.TempDir()
	file, err := overlay.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &gosuites.Runner{Overlay: file, Dir: dir, Seed: *seed}
	t.Logf("-seed=%d; no network but berth: %t", *seed, gosuites.Isolated())
	var tab table
	t.Run("berth", func(t *testing.T) {
		for _, s := range gosuites.Suites {
			for _, m := range []gosuites.Mode{gosuites.Clean, gosuites.Lossy} {
				if m == gosuites.Lossy && s.Long && !*full {
					continue
				}
				t.Run(string(m)+"/"+s.Package, func(t *testing.T) {
					t.Parallel()
					judge(t, r, s, m, &tab)
				})
			}
		}
	})
	if *full {
		t.Run("kernel", func(t *testing.T) {
			for _, s := range gosuites.Suites {
				t.Run(s.Package, func(t *testing.T) {
					t.Parallel()
					res, _, err := r.Run(t.Context(), s, gosuites.Kernel, nil)
					if err != nil {
						t.Fatal(err)
					}
					tab.add(s, gosuites.Kernel, res, 0, nil)
				})
			}
		})
	}
	t.Logf("tests, subtests included:\n%s", tab.String())
}

func judge(t *testing.T, r *gosuites.Runner, s gosuites.Suite, m gosuites.Mode, tab *table) {
	v, err := r.Judge(t.Context(), s, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range v.Notes {
		t.Log(n)
	}
	for _, c := range v.Complaints {
		t.Error(c)
	}
	t.Logf("%d tests were skipped, over the kernel too", v.Skipped)
	tab.add(s, m, v.Result, v.Excepted, v.Counters)
}

// table is what the test logs: a row for each suite and mode.
type table struct {
	mu   sync.Mutex // guards rows
	rows map[string]string
}

func (tab *table) add(s gosuites.Suite, m gosuites.Mode, res *gosuites.Result, excepted int, counters map[string]uint64) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if tab.rows == nil {
		tab.rows = make(map[string]string)
	}
	tab.rows[s.Package+"\t"+string(m)] = fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%d",
		len(res.Tests), res.Count(gosuites.Passed), res.Count(gosuites.Skipped), res.Count(gosuites.Failed), excepted,
		counters["TCP.SegsIn"]+counters["UDP.In"], counters["Line.Lost"])
}

func (tab *table) String() string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "suite\tover\ttests\tpassed\tskipped\tfailed\texceptions\tsegments\tlost")
	for _, s := range gosuites.Suites {
		for _, m := range []gosuites.Mode{gosuites.Kernel, gosuites.Clean, gosuites.Lossy} {
			key := s.Package + "\t" + string(m)
			if row, ok := tab.rows[key]; ok {
				fmt.Fprintf(w, "%s\t%s\n", key, row)
			}
		}
	}
	w.Flush()
	return b.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
