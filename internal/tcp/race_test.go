//go:build race

package tcp

// raceEnabled: the race detector makes everything some ten times slower.
const raceEnabled = true
