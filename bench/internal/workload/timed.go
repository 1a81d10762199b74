package workload

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/usage"
)

// phase tells workers where in a run they are.
type phase struct{ measuring, over atomic.Bool }

// record notes how long an operation took, if it counts.
func (ph *phase) record(latencies []time.Duration, start time.Time) []time.Duration {
	if ph.measuring.Load() {
		return append(latencies, time.Since(start))
	}
	return latencies
}

// worker does operations until the run is over, and returns how long each took.
type worker func(i int, ph *phase) ([]time.Duration, error)

// timed runs n workers and tells how long operations took and what they cost.
func timed(n int, opts Options, work worker) (host.Metrics, error) {
	var ph phase
	took := make([][]time.Duration, n)
	errs := make([]error, n)
	var workers sync.WaitGroup
	for i := range n {
		workers.Go(func() { took[i], errs[i] = work(i, &ph) })
	}
	time.Sleep(opts.Warm)
	u := usage.Read()
	ph.measuring.Store(true)
	time.Sleep(opts.Time)
	ph.measuring.Store(false)
	v := usage.Read()
	ph.over.Store(true)
	workers.Wait()

	all := slices.Concat(took...)
	m := host.Metrics{"goroutines": float64(runtime.NumGoroutine())}
	v.Since(u, m)
	v.PerOp(u, float64(len(all)), m)
	m["tps"] = float64(len(all)) / v.At.Sub(u.At).Seconds()
	percentiles(all, m)
	return m, errors.Join(errs...)
}

// percentiles adds the distribution of latencies.
func percentiles(all []time.Duration, m host.Metrics) {
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	at := func(q float64) float64 {
		return float64(all[int(q*float64(len(all)-1))]) / float64(time.Microsecond)
	}
	m["p50_us"], m["p99_us"], m["p999_us"] = at(0.5), at(0.99), at(0.999)
}
