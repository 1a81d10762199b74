package gosuites

// A Mode is what the suites run over.
type Mode string

// The modes.
const (
	Kernel Mode = "kernel" // what the others are held against
	Clean  Mode = "clean"  // berth's loopback
	Lossy  Mode = "lossy"  // the same, losing and reordering
)
