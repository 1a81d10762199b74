package bridge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

var made atomic.Bool // the host

// Report writes what the host has counted, if there is one, to a file of the
// directory that BERTH_REPORT names: a line for each counter that is not zero,
// and three of the bridge's own. Package net calls it when the process exits.
func Report() {
	dir := os.Getenv("BERTH_REPORT")
	if dir == "" || !made.Load() {
		return
	}
	var b strings.Builder
	put := func(name string, value uint64) {
		if value != 0 {
			fmt.Fprintf(&b, "%s %d\n", name, value)
		}
	}
	host().Counters().Each(put)
	put("Bridge.Sockets", sockets.Load())
	if line != nil {
		s := line.OutputStats()
		put("Line.Packets", s.Packets)
		put("Line.Lost", s.Lost)
		put("Line.Reordered", s.Reordered)
	}
	name := filepath.Join(dir, fmt.Sprintf("%d.counters", os.Getpid()))
	if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, "berth:", err)
	}
}
