package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// seconds is a flag's value that is a time: a number of seconds, as ping takes
// it, or one with its unit.
type seconds struct {
	time.Duration
	least, most time.Duration // most is 0 for no limit
}

func (s *seconds) Type() string { return "duration" }

func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || !(f > -1e9 && f < 1e9) { // NaN is neither
			return errors.New("want seconds such as 0.2, or a duration such as 200ms")
		}
		d = time.Duration(f * float64(time.Second))
	}
	switch {
	case d < s.least:
		return fmt.Errorf("want at least %v", s.least)
	case s.most != 0 && d > s.most:
		return fmt.Errorf("want at most %v", s.most)
	}
	s.Duration = d
	return nil
}
