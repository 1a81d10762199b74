package perf

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a number with a unit, K, M, G or T, of which each is so many
// times the one before: 1024 for bytes, 1000 for bits.
func ParseSize(s string, times float64) (int64, error) {
	number, factor := s, 1.0
	if s != "" {
		if i := strings.IndexByte("KMGT", strings.ToUpper(s)[len(s)-1]); i >= 0 {
			number, factor = s[:len(s)-1], math.Pow(times, float64(i+1))
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || strings.ContainsAny(number, "xXpP_") {
		return 0, errors.New("want a number such as 1500, 64K or 1.5G")
	}
	f *= factor
	if f < 0 || f >= math.MaxInt64 {
		return 0, errors.New("the number is out of range")
	}
	return int64(f), nil
}

// scaled shows three digits and a unit.
func scaled(x, times float64, units ...string) string {
	i := 0
	for ; i < len(units)-1 && x >= 0.9995*times; i++ {
		x /= times
	}
	digits := 0
	switch {
	case i == 0 && x == math.Trunc(x):
	case x < 9.995:
		digits = 2
	case x < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%4.*f %s", digits, x, units[i])
}

func bytesText(n int64) string {
	return scaled(float64(n), 1024, "Bytes", "KBytes", "MBytes", "GBytes", "TBytes")
}

func bitsText(bps float64) string {
	return scaled(bps, 1000, "bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec")
}
