package labrun

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Line is something that happened.
type Line struct {
	At time.Duration
	// Command is the index of the command that says it; -1 is the network.
	Command int
	// Name is that command's.
	Name string
	// Text is for people. An empty Text is not shown to them.
	Text string
	// Type and Data are for programs.
	Type string
	Data map[string]any

	part int // which of several goroutines of the command
}

// A Printer shows a run.
type Printer interface {
	Begin(*Scene) error
	Line(*Line) error
	End(*Result) error
}

// A log takes lines from all commands. On fake time it shows those of an instant
// when it is over, in the order of commands.
type log struct {
	show   Printer
	gather bool
	failed func(error) // is told when nobody takes the output any more

	mu      sync.Mutex // guards what follows
	pending []Line     // all of one instant
	broken  bool
}

func (l *log) add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 && (!l.gather || l.pending[0].At != line.At) {
		l.flush()
	}
	l.pending = append(l.pending, line)
	if !l.gather {
		l.flush()
	}
}

// end shows what is left.
func (l *log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
}

// flush is called with the lock held.
func (l *log) flush() {
	slices.SortStableFunc(l.pending, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Command, b.Command), cmp.Compare(a.part, b.part))
	})
	for i := range l.pending {
		if l.broken {
			break
		}
		if err := l.show.Line(&l.pending[i]); err != nil {
			l.broken = true
			l.failed(err)
		}
	}
	l.pending = l.pending[:0]
}
