package main

import (
	"errors"
	"strconv"
	"time"
)

// seconds is a flag's value that is a time: a number of seconds, as ping takes
// it, or one with its unit.
type seconds time.Duration

func (s *seconds) String() string { return time.Duration(*s).String() }
func (s *seconds) Type() string   { return "duration" }

func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || !(f >= 0 && f < 1e9) {
			return errors.New("want seconds such as 0.2, or a duration such as 200ms")
		}
		d = time.Duration(f * float64(time.Second))
	}
	if d < 0 {
		return errors.New("it is negative")
	}
	*s = seconds(d)
	return nil
}
