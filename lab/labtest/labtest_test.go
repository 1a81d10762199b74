package labtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/berth/lab"
	"example.com/berth/lab/labtest"
)

// write makes a file of a network.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const pair = "hosts: [a, b]\nlinks: [{between: [a, b], name: wire, delay: 10ms}]\n"

// The function and the file run side by side, on one clock.
func TestSideBySide(t *testing.T) {
	path := write(t, pair+"events: [{at: 2s, cut: wire}, {at: 4s, heal: wire}]\nrun:\n  - echo: {on: b, port: 7}\n  - ping: {on: a, to: b, count: 6, expect: {received: 4}}\n")
	labtest.Run(t, path, func(t *testing.T, n *lab.Network) {
		a := n.Node("a").(*lab.Host)
		c, err := a.Dial("udp", "b:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for second := range 6 {
			answered := false
			c.Write([]byte("?"))
			c.SetReadDeadline(time.Now().Add(time.Second / 2))
			if _, err := c.Read(make([]byte, 1)); err == nil {
				answered = true
			}
			if cut := second == 2 || second == 3; answered == cut {
				t.Errorf("after %v: answered %v", n.Now(), answered)
			}
			time.Sleep(time.Duration(second+1)*time.Second + time.Millisecond - n.Now())
		}
	})
}

// A file alone is a test, too, and its seed that of the network.
func TestFileAlone(t *testing.T) {
	labtest.Run(t, write(t, "seed: 7\n"+pair+"run:\n  - ping: {on: a, to: b, count: 3, expect: {rtt: 20ms, loss: 0%}}\n"), nil)
	labtest.Run(t, write(t, "seed: 7\n"+pair), func(t *testing.T, n *lab.Network) {
		if n.Seed() != 7 {
			t.Errorf("the seed is %d", n.Seed())
		}
	})
}

// What does not hold fails the test, and so do mistakes: seen from a process of their
// own, since nothing else sees a test fail.
func TestFailures(t *testing.T) {
	if path := os.Getenv("LABTEST_FILE"); path != "" {
		var f func(*testing.T, *lab.Network)
		switch os.Getenv("LABTEST_DOES") {
		case "nothing":
			f = func(*testing.T, *lab.Network) {}
		case "fatal":
			f = func(t *testing.T, n *lab.Network) { t.Fatal("so it is") }
		}
		labtest.Run(t, path, f)
		return
	}
	for _, tt := range []struct{ name, file, does, says string }{
		{"an expectation", pair + "run:\n  - ping: {on: a, to: b, count: 2, expect: {rtt: 30ms}}\n", "", "net.yaml: ping: expected rtt 30ms, got 20.0 ms"},
		{"beside a function", pair + "run:\n  - ping: {on: a, to: b, count: 2, expect: {rtt: 30ms}}\n", "nothing", "net.yaml: ping: expected rtt 30ms, got 20.0 ms"},
		{"the function", pair + "run:\n  - echo: {on: b}\n", "fatal", "so it is"},
		{"a mistake", "hosts: [a, b]\nlinks: [{between: [a, c]}]\n", "nothing", "net.yaml:2:23: there is no host"},
		{"a mistake that the lab finds", "hosts: [a, b]\nlinks: [{between: [a, b], addresses: {a: 10.0.0.1/24, b: 10.0.0.1/24}}]\n", "nothing", "net.yaml:2:"},
		{"no end", pair + "run:\n  - echo: {on: b}\n", "", "nothing ends the run"},
		{"no file", "", "", "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "none.yaml")
			if tt.file != "" {
				path = write(t, tt.file)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFailures$")
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "LABTEST_FILE="+path, "LABTEST_DOES="+tt.does)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), tt.says) || strings.Contains(string(out), "panic") || strings.Contains(string(out), "deadlock") {
				t.Errorf("%v: there is no %q in\n%s", err, tt.says, out)
			}
		})
	}
}
