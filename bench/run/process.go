package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"example.com/berth/bench/internal/usage"
)

// A process as /proc has it.
type process struct {
	pid, parent int
	cpu         time.Duration // user and system, in ticks of 10 ms
}

// spent is what the processes of a trial have used so far.
type spent struct {
	at                     time.Time
	contender, all, others time.Duration // CPU time; others is what the machine spent otherwise
	rss                    float64       // resident bytes of the contender's, an executable's pages once
}

// spend reads what the descendants of this process have used: those whose command
// is the client are not the contender's.
func spend(client string) spent {
	table := processes()
	s, files := spent{at: time.Now()}, map[string]float64{}
	self := os.Getpid()
	for pid, p := range table {
		if !descends(table, pid, self) {
			continue
		}
		s.all += p.cpu
		if pid == self || argv0(pid) == client {
			continue
		}
		s.contender += p.cpu
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		status := filepath.Join(dir, "status")
		s.rss += usage.KBytes(status, "RssAnon:") + usage.KBytes(status, "RssShmem:")
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil {
			exe = dir // it does not show it
		}
		files[exe] = max(files[exe], usage.KBytes(status, "RssFile:"))
	}
	for _, shared := range files {
		s.rss += shared
	}
	s.others = usage.Machine() - s.all
	return s
}

// descends tells whether a process is another or below it.
func descends(table map[int]process, pid, of int) bool {
	for range 64 { // none is deeper; a process may have ended meanwhile
		if pid == of {
			return true
		}
		p, ok := table[pid]
		if !ok {
			return false
		}
		pid = p.parent
	}
	return false
}

// processes reads all there are.
func processes() map[int]process {
	table := map[int]process{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		if p, ok := parseStat(b); ok {
			table[p.pid] = p
		}
	}
	return table
}

// parseStat reads a line of /proc/PID/stat, whose second field is a name in
// parentheses that may hold anything.
func parseStat(b []byte) (p process, ok bool) {
	begin, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if begin < 0 || end < begin {
		return p, false
	}
	p.pid, _ = strconv.Atoi(strings.TrimSpace(string(b[:begin])))
	f := strings.Fields(string(b[end+1:]))
	const parent, utime, stime = 1, 11, 12 // fields 4, 14 and 15 of proc(5)
	if len(f) <= stime {
		return p, false
	}
	p.parent, _ = strconv.Atoi(f[parent])
	u, _ := strconv.ParseInt(f[utime], 10, 64)
	s, _ := strconv.ParseInt(f[stime], 10, 64)
	p.cpu = time.Duration(u+s) * (time.Second / 100)
	return p, true
}

// argv0 is what a process was called by.
func argv0(pid int) string {
	b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	name, _, _ := bytes.Cut(b, []byte{0})
	return string(name)
}
