//go:build race

package kernel_test

// raceDetector tells that sync.Pool forgets on purpose.
const raceDetector = true
