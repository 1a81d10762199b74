// Package usage reads what a process and the machine under it have used: time,
// memory, allocations, context switches. Linux only.
package usage

import (
	"bytes"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"syscall"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/stat"
)

// Usage is what the process has used so far.
type Usage struct {
	At       time.Time
	CPU      time.Duration // of user and system
	System   time.Duration
	Mallocs  uint64
	Bytes    uint64 // allocated
	GCs      uint32
	GC       float64 // seconds of CPU
	Switches int64   // of context, voluntary
	Machine  time.Duration
}

// Read reads the counters.
func Read() Usage {
	var ru syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru) // it cannot fail on oneself
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	gc := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(gc)
	system := time.Duration(ru.Stime.Nano())
	return Usage{
		At:       time.Now(),
		CPU:      time.Duration(ru.Utime.Nano()) + system,
		System:   system,
		Mallocs:  ms.Mallocs,
		Bytes:    ms.TotalAlloc,
		GCs:      ms.NumGC,
		GC:       gc[0].Value.Float64(),
		Switches: ru.Nvcsw,
		Machine:  Machine(),
	}
}

// Machine is the CPU time that the whole machine has spent since it started.
func Machine() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	const user, nice, system, irq, softirq = 1, 2, 3, 6, 7
	fields := bytes.Fields(line)
	var ticks int64
	for _, i := range []int{user, nice, system, irq, softirq} {
		if i < len(fields) {
			n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
			ticks += n
		}
	}
	const hertz = 100 // USER_HZ, on every architecture
	return time.Duration(ticks) * (time.Second / hertz)
}

// Since adds to m what was used from u to v, in units that no workload changes.
func (v Usage) Since(u Usage, m host.Metrics) {
	wall := v.At.Sub(u.At).Seconds()
	cpu := (v.CPU - u.CPU).Seconds()
	m["cpu_cores"] = cpu / wall
	m["other_cores"] = max(0, ((v.Machine-u.Machine)-(v.CPU-u.CPU)).Seconds()/wall)
	m["sys_share"] = stat.Ratio((v.System - u.System).Seconds(), cpu)
	m["gc_cpu_share"] = stat.Ratio(v.GC-u.GC, cpu)
	m["gcs_per_s"] = float64(v.GCs-u.GCs) / wall
	m["alloc_MB_per_s"] = float64(v.Bytes-u.Bytes) / 1e6 / wall
	m["ctxsw_per_s"] = float64(v.Switches-u.Switches) / wall
}

// PerOp adds what one of n operations from u to v cost.
func (v Usage) PerOp(u Usage, n float64, m host.Metrics) {
	m["allocs_per_op"] = stat.Ratio(float64(v.Mallocs-u.Mallocs), n)
	m["cpu_us_per_op"] = stat.Ratio((v.CPU-u.CPU).Seconds()*1e6, n)
}
