//go:build !linux

package runner

// followAddrs does nothing: programs run on Linux only.
func followAddrs(func()) (end func()) { return func() {} }
