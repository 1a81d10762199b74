package labtest

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"example.com/berth/internal/labfile"
	"example.com/berth/internal/labrun"
	"example.com/berth/lab"
)

// Run runs a test in the network that a file describes, with [lab.Test]: on fake time,
// with the seed of the file unless flags of the test or an option say another. The
// path is relative to the test's directory, and what the file names to the file's.
//
// F runs while the file's events happen and its commands run, from the same instant
// on. When it has returned and all commands have ended that end by themselves, or the
// time is over that the file has for them, what the file expects is held against what
// came of them: what does not hold fails the test. F may be nil, if something ends the
// run of the file.
//
// A mistake in the file ends the test, and is shown at its place.
func Run(t *testing.T, path string, f func(t *testing.T, n *lab.Network), opts ...lab.Option) {
	t.Helper()
	file := load(t, path)
	if f == nil && file.Endless() {
		t.Fatalf("labtest: nothing ends the run of %s: give it a time (for: 10s), or a command that ends", path)
	}
	opts = append([]lab.Option{lab.Seed(file.Seed)}, opts...)
	lab.Test(t, func(t *testing.T, n *lab.Network) { play(t, file, n, f) }, opts...)
}

// load reads a file, and finds mistakes in it.
func load(t *testing.T, path string) *labfile.File {
	t.Helper()
	file, err := labfile.Load(path)
	if err == nil {
		file.Fake = true
		err = labrun.Check(file)
	}
	if mistakes, ok := errors.AsType[labfile.Errors](err); ok {
		var all strings.Builder
		mistakes.Print(&all, "labtest")
		t.Fatalf("there are mistakes in the network's file:\n\n%s", all.String())
	}
	if err != nil {
		t.Fatalf("labtest: %v", err)
	}
	return file
}

// play runs a file and a function in one network.
func play(t *testing.T, file *labfile.File, n *lab.Network, f func(*testing.T, *lab.Network)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var said strings.Builder
	var result *labrun.Result
	var err error
	ready, returned, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	options := labrun.Options{
		Network: n, Show: &labrun.Text{Out: &said, Quiet: true}, Ready: func(*lab.Network) { close(ready) },
	}
	if f != nil {
		options.Until = returned
	}
	go func() {
		defer close(over)
		result, err = labrun.Play(ctx, file, options)
	}()
	defer func() { <-over }() // also where f ends the test
	if f != nil {
		select {
		case <-ready:
		case <-over:
			t.Fatalf("labtest: %v", err)
		}
		func() {
			ended := false
			defer func() {
				if !ended {
					cancel()
				}
			}()
			f(t, n)
			ended = true
			close(returned)
		}()
	}
	<-over
	if err != nil {
		t.Fatalf("labtest: %v", err)
	}
	for _, failure := range result.Failures() {
		t.Errorf("%s: %s", filepath.Base(file.Path), failure)
	}
	if t.Failed() {
		t.Log("what came of the file:\n" + said.String())
	}
}
