package gateway

import (
	"testing"
	"time"
)

// SetHelloPatience changes it for one test.
func SetHelloPatience(t *testing.T, d time.Duration) {
	before := helloPatience
	helloPatience = d
	t.Cleanup(func() { helloPatience = before })
}
