// Package limits measures what this machine can do at best in each elementary
// step of a TCP/IP stack in Go: copying, checksums, switching goroutines, system
// calls, crossing a TUN. Results of stacks can so be stated as a distance to a
// limit. BareWire and BareTUN go further: they are whole, bare stacks that do
// only what cannot be left out.
//
// A process that measures has to be in a network namespace of its own.
package limits

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Row is one limit.
type Row struct {
	Name, Unit     string
	HigherIsBetter bool
	Measure        func() float64
}

// All are the limits, by group.
func All() map[string][]Row {
	return map[string][]Row{
		"copy":     copies(),
		"checksum": checksums(),
		"switch":   switches(),
		"syscall":  syscalls(),
		"heap":     heap(),
		"socket":   sockets(),
		"tun":      tunReads(),
		"bare":     bare(),
	}
}

// Groups are the names of the groups, in order.
var Groups = []string{"copy", "checksum", "switch", "syscall", "heap", "socket", "tun", "bare"}

// perOp calls f with an n that takes about 100 ms and returns the nanoseconds of
// CPU that one of n operations took. What others do on the machine disturbs CPU
// time less than time.
func perOp(f func(n int)) float64 {
	return calibrate(f, 100*time.Millisecond, threadTime)
}

// wall is perOp in time that passed, for what waits.
func wall(f func(n int)) float64 {
	return calibrate(f, 200*time.Millisecond, func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	})
}

func calibrate(f func(n int), enough time.Duration, took func(func()) time.Duration) float64 {
	for n := 1; ; {
		switch d := took(func() { f(n) }); {
		case d > enough:
			return float64(d) / float64(n)
		case d < time.Millisecond:
			n *= 10
		default:
			n = int(float64(n)*1.2*float64(enough)/float64(d)) + 1
		}
	}
}

// threadTime is the CPU time of f, which must not wait.
func threadTime(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var a, b unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &a)
	f()
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &b)
	return time.Duration(b.Nano() - a.Nano())
}

// processTime is the CPU time of the whole process while f runs, the collector's
// included.
func processTime(f func()) time.Duration {
	var a, b unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &a)
	f()
	_ = unix.Getrusage(unix.RUSAGE_SELF, &b)
	return time.Duration(b.Utime.Nano() + b.Stime.Nano() - a.Utime.Nano() - a.Stime.Nano())
}

// ns makes a row of nanoseconds.
func ns(name string, measure func() float64) Row {
	return Row{Name: name, Unit: "ns", Measure: measure}
}

// repeat is a loop that perOp can call.
func repeat(f func()) func() float64 {
	return func() float64 {
		return perOp(func(n int) {
			for range n {
				f()
			}
		})
	}
}
