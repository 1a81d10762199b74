package lab

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/berth/lab/report"
)

// ladderLines is how much of the ladder a failed test prints.
const ladderLines = 60

// maxLines is how much of it a file holds.
const maxLines = 100_000

// leaveBehind writes what is needed to understand a test that has failed: the
// seed, a ladder and the tables of sockets to its log, and all of it to files.
func (n *Network) leaveBehind() {
	r := n.Recording()
	var b strings.Builder
	b.WriteString("lab: what happened\n")
	if err := report.WriteText(&b, r, report.TextOptions{Lines: ladderLines}); err != nil {
		fmt.Fprintf(&b, "%v\n", err)
	}
	n.tb.Logf("%s", b.String())
	dir, ok := n.tb.(interface{ ArtifactDir() string })
	if !ok || !n.trace.on {
		return
	}
	n.writeFiles(dir.ArtifactDir(), r)
}

func (n *Network) writeFiles(dir string, r *report.Recording) {
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"lab.pcapng", n.WriteCapture},
		{"lab.html", func(w io.Writer) error { return report.Write(w, r) }},
		{"lab.txt", func(w io.Writer) error { return report.WriteText(w, r, report.TextOptions{Lines: maxLines}) }},
	} {
		path := filepath.Join(dir, f.name)
		if err := writeFile(path, f.write); err != nil {
			n.tb.Logf("lab: %v", err)
			continue
		}
		n.tb.Logf("lab: wrote %s (go test -artifacts keeps it)", path)
	}
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}

// repeat is the command that repeats this run.
func (n *Network) repeat() string {
	if n.tb == nil {
		return ""
	}
	// A subtest of lab.Test over several seeds is named after its seed, which is
	// not what the run with that seed alone is called.
	var parts []string
	for _, p := range strings.Split(n.tb.Name(), "/") {
		if !strings.HasPrefix(p, "seed=") && !strings.HasPrefix(p, "faults=") {
			parts = append(parts, "^"+p+"$")
		}
	}
	return fmt.Sprintf("go test -run '%s' -lab.seed=%d", strings.Join(parts, "/"), n.seed)
}
