package units

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Unit is a name with what a number of it is worth.
type Unit struct {
	Name  string
	Worth float64
}

// Rates are the units of rates, in bits a second.
var Rates = []Unit{
	{"bit/s", 1},
	{"kbit/s", 1e3},
	{"Mbit/s", 1e6},
	{"Gbit/s", 1e9},
	{"bps", 1},
	{"kbps", 1e3},
	{"Mbps", 1e6},
	{"Gbps", 1e9},
}

// Sizes are the units of sizes, in bytes.
var Sizes = []Unit{
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
	MaxDuration = 365 * 24 * time.Hour
	MaxRate     = 1e13
	MaxSize     = 1 << 40
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

// Split cuts a value into its number and its unit.
func Split(s string) (number, unit string) {
	s = strings.TrimSpace(s)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// Quantity reads a number with one of some units, as so many of what a unit is
// worth one of.
func Quantity(s string, units []Unit, most float64) (float64, error) {
	digits, name := Split(s)
	f, ok := number(digits)
	if !ok {
		return 0, fmt.Errorf("%q is not a number with a unit", s)
	}
	for _, u := range units {
		if strings.EqualFold(u.Name, name) {
			if f *= u.Worth; f > most {
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
	DurationHint = "a duration is a number with ns, us, ms, s, m or h, such as 20ms or 1.5s"
	RateHint     = "a rate is a number with bit/s, kbit/s, Mbit/s or Gbit/s, such as 10 Mbit/s"
	SizeHint     = "a size is a number of bytes, or one with B, kB, MB, GB, KiB, MiB or GiB, such as 64 KiB"
	ShareHint    = "a share is a percentage such as 1%, or a number from 0 to 1"
	CountHint    = "a count is a whole number"
	QueueHint    = "a queue is a size such as 64 KB, or a number of packets such as 100 packets"
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
	case d > MaxDuration:
		return 0, fmt.Errorf("%q is more than a year", s)
	}
	return d, nil
}

// ParseRate reads a rate into bits a second.
func ParseRate(s string) (int64, error) {
	f, err := Quantity(s, Rates, MaxRate)
	if err != nil && strings.HasSuffix(strings.ToLower(strings.TrimSpace(s)), "b/s") {
		return 0, fmt.Errorf("%q is in bytes: rates are in bits", s)
	}
	return int64(math.Round(f)), err
}

// ParseLimit reads a rate that limits something, and takes the 10mbit of tc(8), too.
func ParseLimit(s string) (int64, error) {
	text := s
	if strings.HasSuffix(strings.ToLower(s), "bit") {
		text += "/s"
	}
	n, err := ParseRate(text)
	if err == nil && n == 0 {
		err = fmt.Errorf("%q lets nothing through", s)
	}
	return n, err
}

// fullPacket is what a packet counts for where a queue is given in packets.
const fullPacket = 1500

// ParseQueue reads the size of a queue into bytes: a size, or a number of packets.
func ParseQueue(s string) (int, error) {
	packets := []Unit{{"packets", fullPacket}, {"packet", fullPacket}}
	n, err := Quantity(s, append(packets, Sizes[:len(Sizes)-1]...), 1<<30)
	if err == nil && n < 1 {
		err = fmt.Errorf("%q holds nothing", s)
	}
	return int(n), err
}

// ParseSize reads a size into bytes.
func ParseSize(s string) (int64, error) {
	f, err := Quantity(s, Sizes, MaxSize)
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
