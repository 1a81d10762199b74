package box

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// By how much of a hundred the heap of a process that only carries packets grows
// between two collections: little of it is alive, so that they are cheap, but where
// there is much to do there would be many.
const (
	heapGrowth     = 50
	heapGrowthBusy = 400
)

// Bustle lets the process take more memory until it settles again.
func Bustle() { debug.SetGCPercent(heapGrowthBusy) }

// Settle makes the process smaller, once all is set up, or much was to be done, and
// what follows is little and always the same: most pages of the executable that are
// mapped were needed once. They stay in the system's cache, and those that are needed
// again are mapped again.
func Settle() {
	debug.SetGCPercent(heapGrowth)
	runtime.GC() // pools keep what is in them for one collection
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return // it does without
	}
	defer f.Close()
	for _, m := range cleanMappings(f) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

// A mapping is one of the process's memory.
type mapping struct{ start, end uintptr }

// cleanMappings reads smaps(5) and returns the mappings of files that nobody can
// write to, and of which nothing differs from the file.
func cleanMappings(smaps io.Reader) (clean []mapping) {
	var at mapping
	candidate := false
	flush := func() {
		if candidate {
			clean = append(clean, at)
		}
	}
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		if m, ok := parseRange(words[0]); ok {
			flush()
			at = m
			candidate = len(words) > 5 && strings.HasPrefix(words[5], "/") && (words[1] == "r-xp" || words[1] == "r--p")
			continue
		}
		switch words[0] {
		case "Anonymous:", "Swap:", "Locked:": // one that is Private_Dirty may just be new on the disk
			candidate = candidate && words[1] == "0"
		}
	}
	flush()
	return clean
}

// parseRange reads "400000-c1c000".
func parseRange(s string) (m mapping, ok bool) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return m, false
	}
	a, err1 := strconv.ParseUint(from, 16, 64)
	b, err2 := strconv.ParseUint(to, 16, 64)
	return mapping{uintptr(a), uintptr(b)}, err1 == nil && err2 == nil
}
