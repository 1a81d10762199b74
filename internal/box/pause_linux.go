package box

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Pause stops all processes of the box, and returns when none of them runs or reads
// the terminal any more. What was stopped before stays so after Resume.
func (b *Box) Pause() error {
	select {
	case <-b.paused: // of a Pause that was given up
	default:
	}
	if err := b.tell(message{Pause: true}); err != nil {
		return err
	}
	select {
	case <-b.paused:
		return nil
	case <-b.told:
		return os.ErrProcessDone
	}
}

// Resume lets go on what Pause has stopped.
func (b *Box) Resume() error { return b.tell(message{Resume: true}) }

// Holds tells whether a process group, by its number outside, is one that the
// program has made: one with a process that descends from the box's first.
func (b *Box) Holds(group int) bool {
	parents := make(map[int]int)
	var members []int
	for _, p := range processes() {
		parents[p.pid] = p.parent
		if p.group == group {
			members = append(members, p.pid)
		}
	}
	return slices.ContainsFunc(members, func(pid int) bool {
		for range len(parents) { // what changes meanwhile could make a ring of them
			if pid == b.pid {
				return true
			}
			pid = parents[pid]
		}
		return false
	})
}

// paused are the processes that were stopped, for the first process of the box.
type paused struct{ pids map[int]bool }

// pauseTime is how long processes may take to stop: on a machine with much to do one
// may wait long for its turn. One that the kernel holds longer than that stops before
// it does anything else.
const pauseTime = 5 * time.Second

// stop stops all but the caller: parents first, so that a shell does not see its
// jobs stop. It looks until all have, as each may have started others meanwhile.
func (p *paused) stop() {
	if p.pids == nil {
		p.pids = make(map[int]bool)
	}
	for late := time.Now().Add(pauseTime); time.Now().Before(late); time.Sleep(time.Millisecond) {
		running := false
		for _, one := range processes() {
			if one.pid == os.Getpid() || strings.ContainsRune("TtXZ", one.state) {
				continue
			}
			running = running || one.state != 'D'
			if !p.pids[one.pid] {
				p.pids[one.pid] = true
				_ = unix.Kill(one.pid, unix.SIGSTOP) // it may just have ended
				awaitStop(late, func() (process, bool) { return processOf(one.pid) })
			}
		}
		if !running {
			return
		}
	}
}

// awaitStop waits until a process has stopped, before the next one is to: a shell that
// waits for its jobs, and is still about to stop, would see one of them stop before.
func awaitStop(late time.Time, look func() (process, bool)) {
	for ; time.Now().Before(late); time.Sleep(100 * time.Microsecond) {
		if p, ok := look(); !ok || strings.ContainsRune("TtXZD", p.state) {
			return
		}
	}
}

// resume lets them go on: children first, for the same reason.
func (p *paused) resume() {
	pids := make([]int, 0, len(p.pids))
	for pid := range p.pids {
		pids = append(pids, pid)
	}
	slices.SortFunc(pids, func(a, b int) int { return cmp.Compare(b, a) })
	for _, pid := range pids {
		_ = unix.Kill(pid, unix.SIGCONT)
	}
	p.pids = nil
}

// A process is what /proc says of one.
type process struct {
	pid, parent, group int
	state              rune
}

// processes are those that /proc has, by their numbers.
func processes() (all []process) {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if p, ok := processOf(pid); ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b process) int { return cmp.Compare(a.pid, b.pid) })
	return all
}

// processOf is what /proc says of one; false: it has ended.
func processOf(pid int) (p process, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	// The name, in parentheses, may have anything in it.
	at := strings.LastIndexByte(string(text), ')')
	fields := strings.Fields(string(text[at+1:]))
	if len(fields) < 3 {
		return p, false
	}
	p.pid, p.state = pid, rune(fields[0][0])
	p.parent, _ = strconv.Atoi(fields[1])
	p.group, _ = strconv.Atoi(fields[2])
	return p, true
}
