package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/units"
	"example.com/berth/link/impair"
	"github.com/spf13/pflag"
)

// lineOptions are the flags of a bad line.
type lineOptions struct {
	profile, trace, queue     string
	delay, jitter, loss, rate string
	seed                      uint64
}

func (o *lineOptions) add(set *pflag.FlagSet) {
	set.StringVar(&o.profile, "profile", "", "make its line one of a known kind, `NAME`: "+profileNames())
	set.StringVar(&o.delay, "delay", "", "delay each packet by `TIME`, each way: 50ms")
	set.StringVar(&o.jitter, "jitter", "", "vary the delay by up to `TIME`")
	set.StringVar(&o.loss, "loss", "", "lose that `SHARE` of packets, each way: 1%")
	set.StringVar(&o.rate, "rate", "", "limit the line to `RATE`, each way: 10mbit")
	set.StringVar(&o.queue, "queue", "", "let `SIZE` wait before a limited line: 64KiB")
	set.StringVar(&o.trace, "trace", "", "limit the line as the mahimahi trace `FILE` has it, each way")
	set.Uint64Var(&o.seed, "seed", 0, "let chance begin with `N`")
}

func profileNames() string {
	var names []string
	for _, p := range impair.Profiles() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// read makes of the flags what befalls packets to the program, and from it.
func (o *lineOptions) read() (down, up impair.Config, err error) {
	if o.profile != "" {
		p, err := impair.Profile(o.profile)
		if err != nil {
			return down, up, &usage.Error{Arg: o.profile, Problem: "unknown --profile " + usage.Quote(o.profile), Hint: "there are " + profileNames()}
		}
		down, up = p.Down, p.Up
	}
	for _, c := range []*impair.Config{&down, &up} {
		if err := o.change(c); err != nil {
			return down, up, err
		}
	}
	down.Seed, up.Seed = o.seed, o.seed+1 // the ways are not lost packets together
	return down, up, nil
}

// change puts what single flags say in place of what the profile has.
func (o *lineOptions) change(c *impair.Config) error {
	for _, f := range []struct {
		name, text string
		set        func(string) error
	}{
		{"delay", o.delay, duration(&c.Delay)},
		{"jitter", o.jitter, duration(&c.Jitter)},
		{"loss", o.loss, func(s string) (err error) {
			c.Loss, err = units.ParseShare(s)
			c.Burst = impair.GilbertElliott{}
			return err
		}},
		{"rate", o.rate, func(s string) (err error) {
			c.Rate, err = units.ParseLimit(s)
			c.Trace = nil
			return err
		}},
		{"queue", o.queue, func(s string) (err error) {
			c.Queue, err = units.ParseQueue(s)
			return err
		}},
		{"trace", o.trace, func(s string) (err error) {
			c.Trace, err = readTrace(s)
			c.Rate = 0
			return err
		}},
	} {
		if f.text == "" {
			continue
		}
		if err := f.set(f.text); err != nil {
			return &usage.Error{Arg: f.text, Problem: "invalid --" + f.name + ": " + err.Error()}
		}
	}
	if err := c.Validate(); err != nil {
		return &usage.Error{Problem: err.Error()}
	}
	return nil
}

func duration(to *time.Duration) func(string) error {
	return func(s string) (err error) {
		*to, err = units.ParseDuration(s)
		return err
	}
}

func readTrace(path string) (*impair.Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %s", usage.Quote(path), reason(err))
	}
	defer f.Close()
	return impair.ParseTrace(io.LimitReader(f, 64<<20))
}
