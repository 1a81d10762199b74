package badline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/berth/internal/units"
	"example.com/berth/link/impair"
)

// A setting is one that a line may have.
type setting struct {
	key, hint string
	// parse reads a value. The trace's is a path, which dir stands before.
	parse func(value, dir string) (change, error)
}

// change is what a setting makes of a direction.
type change func(*impair.Config)

// settings are in the order in which they take effect.
var settings = []setting{
	{key: "profile"}, // of which there is one for each way
	{"delay", units.DurationHint, reading(units.ParseDuration, func(c *impair.Config) any { return &c.Delay })},
	{"jitter", units.DurationHint, reading(units.ParseDuration, func(c *impair.Config) any { return &c.Jitter })},
	{"loss", units.ShareHint, reading(units.ParseShare, func(c *impair.Config) any { c.Burst = impair.GilbertElliott{}; return &c.Loss })},
	{"rate", units.RateHint, reading(units.ParseLimit, func(c *impair.Config) any { c.Trace = nil; return &c.Rate })},
	{"queue", units.QueueHint, reading(units.ParseQueue, func(c *impair.Config) any { return &c.Queue })},
	{"trace", "a trace is a file of mahimahi's: a number of milliseconds a line", readTrace},
}

// reading is the parse of a value that becomes one field.
func reading[T any](parse func(string) (T, error), field func(*impair.Config) any) func(string, string) (change, error) {
	return func(value, _ string) (change, error) {
		v, err := parse(value)
		if err != nil {
			return nil, err
		}
		return func(c *impair.Config) { *field(c).(*T) = v }, nil
	}
}

// perfect is the profile of a line without faults.
const perfect = "perfect"

// Profiles are the names of the lines of a known kind.
func Profiles() []string {
	names := []string{perfect}
	for _, p := range impair.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// Keys are the names of the settings.
func Keys() (keys []string) {
	for _, s := range settings {
		keys = append(keys, s.key)
	}
	return keys
}

// A Spec is what a line is to be like. The zero value has no faults.
type Spec struct {
	down, up impair.Config // of the profile
	changes  map[string]change
}

// A ValueError is a value that a setting cannot have.
type ValueError struct {
	Problem, Hint string
}

func (e *ValueError) Error() string { return e.Problem }

// Set makes a setting, of which Keys are the names. A trace that is no absolute path
// is looked for in dir. The error is a *ValueError, or nil.
func (s *Spec) Set(key, value, dir string) error {
	if key == "profile" {
		return s.profile(value)
	}
	i := slices.IndexFunc(settings, func(one setting) bool { return one.key == key })
	c, err := settings[i].parse(value, dir)
	if err != nil {
		return &ValueError{fmt.Sprintf("%s: %v", key, err), settings[i].hint}
	}
	if s.changes == nil {
		s.changes = make(map[string]change)
	}
	s.changes[key] = c
	return nil
}

func (s *Spec) profile(name string) error {
	if strings.EqualFold(name, perfect) {
		s.down, s.up = impair.Config{}, impair.Config{}
		return nil
	}
	p, err := impair.Profile(name)
	if err != nil {
		return &ValueError{fmt.Sprintf("profile: there is no %q", name), "there are " + strings.Join(Profiles(), ", ")}
	}
	s.down, s.up = p.Down, p.Up
	return nil
}

// Configs are what befalls packets to the program, and from it. The ways do not lose
// the same packets.
func (s *Spec) Configs(seed uint64) (down, up impair.Config) {
	down, up = s.down, s.up
	for _, c := range []*impair.Config{&down, &up} {
		for _, one := range settings {
			if change := s.changes[one.key]; change != nil {
				change(c)
			}
		}
	}
	down.Seed, up.Seed = seed, seed+1
	return down, up
}

// Check finds a setting that says nothing beside the others. Its key is "", and the
// error nil, if there is none; else the error is a *ValueError.
func (s *Spec) Check() (key string, err error) {
	down, up := s.Configs(0)
	limited := func(c *impair.Config) bool { return c.Rate != 0 || c.Trace != nil }
	switch {
	case s.changes["queue"] != nil && !limited(&down) && !limited(&up):
		return "queue", &ValueError{"queue: nothing limits the line, so that nothing waits", "queue goes with rate, trace or a profile that has a rate"}
	case s.changes["rate"] != nil && s.changes["trace"] != nil:
		return "rate", &ValueError{"rate: the trace says how fast the line is", "leave out one of rate and trace"}
	}
	return "", nil
}

// maxTrace bounds the file of a trace.
const maxTrace = 64 << 20

func readTrace(path, dir string) (change, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %q", path)
	case err != nil:
		return nil, err
	}
	defer f.Close()
	trace, err := impair.ParseTrace(io.LimitReader(f, maxTrace))
	if err != nil {
		return nil, err
	}
	return func(c *impair.Config) { c.Trace, c.Rate = trace, 0 }, nil
}
