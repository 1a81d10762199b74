//go:build race

package tcp

// raceEnabled: the race detector makes everything some ten times slower, and
// tests do less by raceScale.
const (
	raceEnabled = true
	raceScale   = 10
)
