package usage

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Memory is what is resident of a process, and of the kernel behind it.
type Memory struct {
	Heap, Stack, RSS float64 // bytes
	Slab             float64 // of the kernel, on the whole machine
	Goroutines       int
}

// ReadMemory collects garbage first, so that Heap is what lives.
func ReadMemory() Memory {
	runtime.GC()
	runtime.GC()
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	return Memory{
		Heap:       float64(ms.HeapAlloc),
		Stack:      float64(ms.StackInuse),
		RSS:        KBytes("/proc/self/status", "VmRSS:"),
		Slab:       KBytes("/proc/meminfo", "Slab:"),
		Goroutines: runtime.NumGoroutine(),
	}
}

// KBytes is a value in kB of a file in /proc, in bytes; 0 if it is not there.
func KBytes(file, key string) float64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == key {
			v, _ := strconv.ParseFloat(f[1], 64)
			return v * 1024
		}
	}
	return 0
}
