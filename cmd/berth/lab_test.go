package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/berth/internal/labfile"
)

// labExamples are the files that are shown to people. On fake time each says the
// same in every run, byte by byte.
func labExamples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/lab/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("examples: %q, %v", files, err)
	}
	return files
}

func TestLabExamples(t *testing.T) {
	for _, path := range labExamples(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := run(t, "", "lab", path)
			wantStatus(t, r.status, exitSuccess)
			want(t, "standard error", r.stderr, "")
			golden(t, strings.TrimPrefix(strings.TrimSuffix(path, ".yaml"), "testdata/")+".txt", r.stdout)
		})
	}
}

func TestLabJSON(t *testing.T) {
	r := run(t, "", "lab", "--json", "testdata/lab/lossy.yaml")
	wantStatus(t, r.status, exitSuccess)
	var types []string
	for line := range strings.Lines(r.stdout) {
		var o struct {
			Type string
			At   float64
			OK   bool
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if !strings.HasPrefix(line, `{"type":"`) {
			t.Errorf("the type is not first in %s", line)
		}
		types = append(types, o.Type)
	}
	if n := len(types); n < 10 || types[0] != "begin" || types[n-1] != "end" || types[n-2] != "result" {
		t.Errorf("lines of type %q", types)
	}
	golden(t, "lab/lossy.json", r.stdout)
}

// lab runs a file with the given text.
func runLab(t *testing.T, text string, args ...string) result {
	t.Helper()
	return run(t, text, append(append([]string{"lab"}, args...), "-")...)
}

const twoHosts = "hosts: [a, b]\nlinks: [{between: [a, b], delay: 10ms}]\ntime: fake\n"

func TestLabStatus(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		status     int
		last       string // of standard output
	}{
		{"as expected", twoHosts + "run: [{ping: {on: a, to: b, expect: {rtt: 20ms, loss: 0}}}]\n", 0, "ok: 2 checks; 4.02s of fake time"},
		{"nothing expected", twoHosts + "run: [{ping: {on: a, to: b, count: 1}}]\n", 0, "ok: 20ms of fake time"},
		{"not as expected", twoHosts + "run: [{ping: {on: a, to: b, expect: {rtt: < 20ms, loss: 0}}}]\n", 1, "FAILED: 1 of 2 checks; 4.02s of fake time"},
		{"a failure", twoHosts + "run: [{connect: {on: a, to: b}}]\n", 1, "FAILED: 1 of 1 check; 40ms of fake time"},
		{"a failure expected", twoHosts + "run: [{connect: {on: a, to: b, expect: {error: refused}}}]\n", 0, "ok: 1 check; 40ms of fake time"},
		{"another expected", twoHosts + "run: [{connect: {on: a, to: b, expect: {error: timed out}}}]\n", 1, "FAILED: 2 of 2 checks; 40ms of fake time"},
		{"bounded", twoHosts + "for: 3s\nrun: [{echo: {on: b}}, {connect: {on: a, to: b, count: 9, expect: {received: 3}}}]\n", 0, "ok: 1 check; 3s of fake time, ended by its bound"},
		{"late events", twoHosts + "events: [{at: 1h, crash: b}]\nrun: [{ping: {on: a, to: b, count: 1}}]\n", 0, "ok: 20ms of fake time; 1 event would have come later"},
		{"never begun", twoHosts + "for: 1s\nrun: [{ping: {on: a, to: b, start: 5s, expect: {loss: 0}}}]\n", 1, "FAILED: 1 of 1 check; 1s of fake time, ended by its bound"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := runLab(t, tt.text)
			wantStatus(t, r.status, tt.status)
			lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
			want(t, "the last line", lines[len(lines)-1], tt.last)
			if t.Failed() {
				t.Logf("%s%s", r.stdout, r.stderr)
			}
		})
	}
}

// TestLabCommands has commands do what the examples do not.
func TestLabCommands(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"UDP at its rate", `
run: [{perf: {on: a, to: b, protocol: udp, time: 5s, rate: 2 Mbit/s, size: 1000, expect: {goodput: 1.99 .. 2.01 Mbit/s, sent: 1250, received: 1250, loss: 0, reordered: 0, jitter: 0}}}]`},
		{"reverse", `
run: [{perf: {on: a, to: b, bytes: 5 MB, streams: 3, reverse: true, expect: {bytes: 5000001 .. 5000002 B, time: "< 5s"}}}]`},
		{"shared server", `
run: [{perf: {on: a, to: b, bytes: 1 MB, expect: {bytes: 1 MB}}}, {perf: {on: a, to: b, bytes: 2 MB, congestion: reno, expect: {bytes: 2 MB}}}]`},
		{"IPv6", `
run: [{ping: {on: a, to: b, ipv6: true, count: 2, interval: 100ms, size: 1000, expect: {received: 2}}}]`},
		{"messages over UDP", `
run: [{echo: {on: b, port: 9}}, {connect: {on: a, to: b:9, protocol: udp, size: 1000, count: 3, interval: 0s, expect: {received: 3, time: 60ms, rtt-max: 20ms}}}]`},
		{"long messages", `
run: [{echo: {on: b}}, {connect: {on: a, to: b, size: 300 kB, expect: {received: 1}}}]`},
		{"parallel requests", `
run: [{http: {on: a, to: b, count: 10, parallel: 3, size: 0, interval: 1s, expect: {ok: 10, latency-max: 40ms, time: 3.1 .. 3.2 s}}}]`},
		{"a crash and a new server", `
events: [{at: 1500ms, crash: b, for: 1s}]
run: [{http: {on: a, to: b, count: 5, interval: 1s, timeout: 1s, expect: {ok: 5, latency-max: 400ms .. 1s}}}]`},
		{"an orderly halt", `
events: [{at: 500ms, shutdown: b}]
run: [{perf: {on: a, to: b, time: 1m, expect: {error: reset}}}]`},
		{"a link that changes", `
events: [{at: 2500ms, set: [a, b], to: {delay: 50ms, up: {jitter: 1ms}, mtu: 1400}}, {at: 4s, down: [a, b]}, {at: 5s, heal: all}]
run: [{ping: {on: a, to: b, count: 8, expect: {rtt-min: 20ms, rtt-max: 90 .. 110 ms, received: 6 .. 7}}}]`},
		{"an end from outside", `
for: 5s
run: [{perf: {on: a, to: b, expect: {time: 5s, bytes: "> 1 MB"}}}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := twoHosts + tt.text
			if strings.Contains(tt.text, "perf") { // without a limit it is as much as the machine can do
				text = strings.Replace(text, "delay: 10ms", "delay: 10ms, rate: 20 Mbit/s, queue: 1 MB", 1)
			}
			r := runLab(t, text+"\n")
			if r.status != exitSuccess {
				t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
			}
		})
	}
}

func TestLabTopologies(t *testing.T) {
	for _, tt := range []struct{ topology, from, to string }{
		{"pair:", "a", "b"},
		{"chain: 3", "a", "b"},
		{"star: 4", "host1", "host4"},
		{"lan: 3", "host1", "host3"},
		{"dumbbell: 2", "left1", "right2"},
	} {
		text := "time: fake\ntopology:\n  " + tt.topology + "\n  link: {delay: 1ms}\nrun: [{ping: {on: " + tt.from + ", to: " + tt.to + ", count: 1}}]\n"
		if r := runLab(t, text); r.status != 0 {
			t.Errorf("%s: %s%s", tt.topology, r.stdout, r.stderr)
		}
	}
}

// TestLabFiles has the capture and the report be the same in every run.
func TestLabFiles(t *testing.T) {
	dir := t.TempDir()
	var before [2][]byte
	for i := range 2 {
		pcap, html := filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "a.html")
		r := run(t, "", "lab", "-q", "--pcap", pcap, "--report", html, "testdata/lab/lossy.yaml")
		wantStatus(t, r.status, exitSuccess)
		for k, path := range []string{pcap, html} {
			b, err := os.ReadFile(path)
			if err != nil || len(b) < 1000 {
				t.Errorf("%s has %d bytes, %v", path, len(b), err)
			}
			if i == 1 && !bytes.Equal(b, before[k]) {
				t.Errorf("%s differs from run to run", path)
			}
			before[k] = b
		}
	}
}

func TestLabSeed(t *testing.T) {
	first, again := run(t, "", "lab", "--seed", "3", "testdata/lab/lossy.yaml"), run(t, "", "lab", "testdata/lab/lossy.yaml")
	if first.stdout == again.stdout || !strings.Contains(first.stdout, "seed 3") {
		t.Error("another seed says the same")
	}
}

func TestLabCheck(t *testing.T) {
	for _, path := range labExamples(t) {
		r := run(t, "", "lab", "--check", path)
		wantStatus(t, r.status, exitSuccess)
		if !strings.HasPrefix(r.stdout, path+": ") {
			t.Errorf("said %q", r.stdout)
		}
	}
	r := runLab(t, "hosts: [a, b]\nlinks: [{between: [a, b], addresses: {a: 10.0.0.1/24}}, {between: [b, a], addresses: {a: 10.0.1.1/24, b: 10.0.0.1/8}}]\n", "--check")
	wantStatus(t, r.status, exitUsage)
}

func TestLabSchema(t *testing.T) {
	r := run(t, "", "lab", "--schema")
	wantStatus(t, r.status, exitSuccess)
	want(t, "the schema", r.stdout, labfile.Schema)
}

// TestLabOnTheWallClock needs no more of it than that it goes on.
func TestLabOnTheWallClock(t *testing.T) {
	r := runLab(t, "hosts: [a, b]\nlinks: [{between: [a, b]}]\nrun: [{ping: {on: a, to: b, count: 3, interval: 1ms, wait: 1m}}, {http: {on: a, to: b}}]\n")
	if r.status != exitSuccess || !strings.Contains(r.stdout, "on the wall clock") {
		t.Errorf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

func TestLabInterrupted(t *testing.T) {
	for _, clock := range []string{"--fake", "--wall"} {
		ctx, cancel := context.WithCancel(t.Context())
		var out, errs bytes.Buffer
		text := "hosts: [a, b]\nlinks: [{between: [a, b], delay: 1ms, rate: 1 Mbit/s}]\nrun: [{perf: {on: a, to: b, time: 5000h}}]\n"
		timer := time.AfterFunc(50*time.Millisecond, cancel)
		status := execute(ctx, []string{"lab", clock, "-q", "--for", "8000h", "-"}, strings.NewReader(text), &out, &errs)
		timer.Stop()
		cancel()
		wantStatus(t, status, exitInterrupted)
		if !strings.Contains(out.String(), "interrupted after ") {
			t.Errorf("%s: said %s%s", clock, out.String(), errs.String())
		}
	}
}

// brokenWriter takes so many bytes and no more.
type brokenWriter struct{ left int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

func TestLabOutputThatBreaks(t *testing.T) {
	for _, left := range []int{0, 300, 1500} {
		var errs bytes.Buffer
		status := execute(t.Context(), []string{"lab", "testdata/lab/partition.yaml"}, nil, &brokenWriter{left}, &errs)
		wantStatus(t, status, exitNetwork)
		if !strings.Contains(errs.String(), "file already closed") {
			t.Errorf("said %q", errs.String())
		}
	}
}
