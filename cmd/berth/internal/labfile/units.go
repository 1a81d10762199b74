package labfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A unit is a name with what a number of it is worth.
type unit struct {
	name  string
	worth float64
}

var rates = []unit{
	{"bit/s", 1},
	{"kbit/s", 1e3},
	{"Mbit/s", 1e6},
	{"Gbit/s", 1e9},
	{"bps", 1},
	{"kbps", 1e3},
	{"Mbps", 1e6},
	{"Gbps", 1e9},
}

var sizes = []unit{
	{"B", 1},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"", 1},
}

// Bounds of values: large enough for any network, small enough to reckon with.
const (
	maxDuration = 365 * 24 * time.Hour
	maxRate     = 1e13
	maxSize     = 1 << 40
	maxCount    = 1_000_000
)

// number reads a number, without the exponents, names and underscores that
// strconv takes.
func number(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// split cuts a value into its number and its unit.
func split(s string) (number, unit string) {
	s = strings.TrimSpace(s)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// quantity reads a number with one of some units.
func quantity(s string, units []unit, most float64) (float64, error) {
	digits, name := split(s)
	f, ok := number(digits)
	if !ok {
		return 0, fmt.Errorf("%q is not a number with a unit", s)
	}
	for _, u := range units {
		if strings.EqualFold(u.name, name) {
			if f *= u.worth; f > most {
				return 0, fmt.Errorf("%q is too much", s)
			}
			return f, nil
		}
	}
	if name == "" {
		return 0, fmt.Errorf("%q has no unit", s)
	}
	return 0, fmt.Errorf("%q has an unknown unit %q", s, name)
}

// What grammars allow, for hints.
const (
	durationHint = "a duration is a number with ns, us, ms, s, m or h, such as 20ms or 1.5s"
	rateHint     = "a rate is a number with bit/s, kbit/s, Mbit/s or Gbit/s, such as 10 Mbit/s"
	sizeHint     = "a size is a number of bytes, or one with B, kB, MB, GB, KiB, MiB or GiB, such as 64 KiB"
	shareHint    = "a share is a percentage such as 1%, or a number from 0 to 1"
	countHint    = "a count is a whole number"
)

// ParseDuration reads a duration.
func ParseDuration(s string) (time.Duration, error) {
	text := strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	if _, ok := number(text); ok && strings.Trim(text, "0.") != "" {
		return 0, fmt.Errorf("%q has no unit", s)
	}
	if strings.Contains(text, "-") {
		return 0, fmt.Errorf("%q is negative", s)
	}
	d, err := time.ParseDuration(strings.ToLower(text))
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration", s)
	case d > maxDuration:
		return 0, fmt.Errorf("%q is more than a year", s)
	}
	return d, nil
}

// ParseRate reads a rate into bits a second.
func ParseRate(s string) (int64, error) {
	f, err := quantity(s, rates, maxRate)
	if err != nil && strings.HasSuffix(strings.ToLower(strings.TrimSpace(s)), "b/s") {
		return 0, fmt.Errorf("%q is in bytes: rates are in bits", s)
	}
	return int64(math.Round(f)), err
}

// ParseSize reads a size into bytes.
func ParseSize(s string) (int64, error) {
	f, err := quantity(s, sizes, maxSize)
	if err == nil && f != math.Trunc(f) {
		return 0, fmt.Errorf("%q is not a whole number of bytes", s)
	}
	return int64(f), err
}

// ParseShare reads a share into a number from 0 to 1.
func ParseShare(s string) (float64, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, ok := number(strings.TrimSpace(digits))
	switch {
	case !ok && strings.HasPrefix(digits, "-"):
		return 0, fmt.Errorf("%q is below 0", s)
	case !ok:
		return 0, fmt.Errorf("%q is not a share", s)
	}
	if percent {
		f /= 100
	}
	if f > 1 {
		return 0, fmt.Errorf("%q is more than 100%%", s)
	}
	return f, nil
}

// ParseCount reads a whole number.
func ParseCount(s string) (int64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%q is too large", s)
	case err != nil:
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	return int64(n), nil
}
