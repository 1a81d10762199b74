package main

import (
	"errors"
	"strings"

	"example.com/berth/cmd/berth/internal/usage"
	"example.com/berth/internal/badline"
	"example.com/berth/internal/policy"
	"example.com/berth/link/impair"
	"github.com/spf13/pflag"
)

// lineOptions are the flags of bad lines: the general one, and those of some
// destinations.
type lineOptions struct {
	general badline.Spec
	special []*policy.Line
	seed    uint64
}

func (o *lineOptions) add(set *pflag.FlagSet) {
	for _, f := range []struct{ key, help string }{
		{"profile", "make its line one of a known kind, `NAME`: " + strings.Join(badline.Profiles(), ", ")},
		{"delay", "delay each packet by `TIME`, each way: 50ms"},
		{"jitter", "vary the delay by up to `TIME`"},
		{"loss", "lose that `SHARE` of packets, each way: 1%"},
		{"rate", "limit the line to `RATE`, each way: 10mbit"},
		{"queue", "let `SIZE` wait before a limited line: 64KiB"},
		{"trace", "limit the line as the mahimahi trace `FILE` has it, each way"},
	} {
		set.Var(settingFlag{&o.general, f.key}, f.key, f.help)
	}
	set.Var(lineFlag{&o.special}, "line", "give what RULE is about a line of its own, `'RULE: KEY=VALUE,...'`, by the names of these flags; may be repeated, the first that matches is the line")
	set.Uint64Var(&o.seed, "seed", 0, "let chance begin with `N`")
}

// read is what befalls packets to the program, and from it.
func (o *lineOptions) read() (down, up impair.Config) { return o.general.Configs(o.seed) }

// settingFlag is a setting of the general line.
type settingFlag struct {
	spec *badline.Spec
	key  string
}

var _ pflag.Value = settingFlag{}

func (f settingFlag) String() string { return "" }
func (f settingFlag) Type() string   { return "value" }

func (f settingFlag) Set(text string) error {
	if e, ok := errors.AsType[*badline.ValueError](f.spec.Set(f.key, text, ".")); ok {
		return &usage.Error{Problem: "invalid --" + e.Problem, Hint: e.Hint}
	}
	return nil
}

// lineFlag is the line of a destination.
type lineFlag struct{ lines *[]*policy.Line }

var _ pflag.Value = lineFlag{}

func (f lineFlag) String() string { return "" }
func (f lineFlag) Type() string   { return "line" }

func (f lineFlag) Set(text string) error {
	l, err := policy.ParseLine(text)
	if err != nil {
		return err
	}
	*f.lines = append(*f.lines, l)
	return nil
}
