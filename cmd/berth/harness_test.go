package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"example.com/berth/cmd/berth/internal/labhost"
	"example.com/berth/internal/box"
)

// TestMain lets the test binary be the command itself, for tests that need it
// in a process or a namespace of its own.
func TestMain(m *testing.M) {
	box.Main()
	labhost.Main()
	if os.Getenv("BERTH_TEST_AS_COMMAND") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// result is what came of a command line.
type result struct {
	stdout, stderr string
	status         int
}

// run runs a command line in this process to its end.
func run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	status := execute(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return result{out.String(), errs.String(), status}
}

// background is a command line that runs beside the test.
type background struct {
	t      *testing.T
	in     *io.PipeWriter
	out    *bufio.Reader
	errs   chan string // lines
	cancel context.CancelFunc
	status chan int
	rest   sync.WaitGroup
}

// start starts a command line. It is interrupted when the test ends.
func start(t *testing.T, args ...string) *background {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	errR, errW := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	b := &background{
		t: t, in: inW, out: bufio.NewReader(outR), errs: make(chan string, 1000),
		cancel: cancel, status: make(chan int, 1),
	}
	b.rest.Go(func() {
		defer close(b.errs)
		for lines := bufio.NewScanner(errR); lines.Scan(); {
			b.errs <- lines.Text()
		}
	})
	b.rest.Go(func() {
		status := execute(ctx, args, inR, outW, errW)
		outW.Close()
		errW.Close()
		b.status <- status
	})
	t.Cleanup(func() {
		cancel()
		inW.Close()
		outR.Close()
		errR.Close()
		b.rest.Wait()
	})
	return b
}

// interrupt is Ctrl-C.
func (b *background) interrupt() { b.cancel() }

// end waits for the exit status.
func (b *background) end() int { return <-b.status }

// said waits for a line on standard error that matches, and returns the first
// group.
func (b *background) said(pattern string) string {
	b.t.Helper()
	re := regexp.MustCompile(pattern)
	for line := range b.errs {
		if m := re.FindStringSubmatch(line); m != nil {
			return m[len(m)-1]
		}
	}
	b.t.Fatalf("standard error ended without %q", pattern)
	return ""
}

// address waits until the command listens and says where.
func (b *background) address() string {
	b.t.Helper()
	return b.said(`listening on (\S+)`)
}

// want compares a text.
func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%s\nwant\n%s", what, got, want)
	}
}

func wantStatus(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("exit status %d, want %d", got, want)
	}
}
