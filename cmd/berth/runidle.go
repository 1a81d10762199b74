package main

import (
	"errors"
	"slices"

	"example.com/berth/cmd/berth/internal/runner"
	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/badline"
	"github.com/spf13/pflag"
)

// ofANetwork are the flags that are about a network, which --net none leaves out.
// --publish and --ask are not among them: what is said of those says more.
var ofANetwork = append([]string{
	"allow", "deny", "policy", "learn", "events", "loopback", "dns", "mtu", "line", "seed", "pcap",
}, ofTheLine...)

// ofTheLine are the flags of the general line.
var ofTheLine = []string{"profile", "delay", "jitter", "loss", "rate", "queue", "trace"}

// idle finds a flag that says nothing as the others are: what a person has said is done,
// or the person is told that it is not. The error is a *usage.Error.
func (o *runOptions) idle(set *pflag.FlagSet) error {
	if f := emptyFlag(set); f != nil {
		return &usage.Error{Arg: "--" + f.Name, Problem: "--" + f.Name + " is empty", Hint: "leave it out, or give it a value; if it has a variable, that is empty"}
	}
	changed := func(names ...string) (first string) {
		if i := slices.IndexFunc(names, set.Changed); i >= 0 {
			first = names[i]
		}
		return first
	}
	fail := func(name, why, hint string) error {
		return &usage.Error{Arg: "--" + name, Problem: "--" + name + " has no meaning " + why, Hint: hint}
	}
	switch name := changed(ofANetwork...); {
	case set.Changed("ask-time") && !o.ask:
		return fail("ask-time", "without --ask", "--ask asks you, and --ask-time is how long an answer may take")
	case o.Net == runner.None && name != "":
		return fail(name, "with --net none", "--net none is no network at all; --net host-only is one that ends at this machine")
	case o.Net == runner.HostOnly && set.Changed("dns"):
		return fail("dns", "with --net host-only", "nobody is asked for names there, but for host.berth.internal")
	case set.Changed("seed") && changed(append([]string{"line", "policy"}, ofTheLine...)...) == "":
		return fail("seed", "without a bad line", "--loss, --jitter, --profile and --line leave something to chance")
	}
	key, err := o.line.general.Check()
	if e, ok := errors.AsType[*badline.ValueError](err); ok {
		return &usage.Error{Arg: "--" + key, Problem: "--" + e.Problem, Hint: e.Hint}
	}
	return nil
}

// emptyFlag is a flag that was given an empty text where only a text makes sense, as
// that of a variable that is not set; nil if there is none.
func emptyFlag(set *pflag.FlagSet) (empty *pflag.Flag) {
	set.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			empty = f
		}
	})
	return empty
}
