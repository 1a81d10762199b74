// Package stat has the statistics that tables need: medians, quantiles, spreads.
package stat

import (
	"math"
	"slices"
)

// Median returns the median of v, 0 of nothing.
func Median(v []float64) float64 { return Quantile(v, 0.5) }

// Quantile returns the q-quantile of v by linear interpolation, 0 of nothing.
func Quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	whole, part := math.Modf(q * float64(len(s)-1))
	i := int(whole)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i]*(1-part) + s[i+1]*part
}

// Spread returns how far the extremes are apart, as a share of the median.
func Spread(v []float64) float64 {
	return Ratio(Quantile(v, 1)-Quantile(v, 0), Median(v))
}

// Ratio is a/b, or 0 if b is.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
