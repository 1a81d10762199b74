//go:build !race

package netconntest

const raceEnabled = false
