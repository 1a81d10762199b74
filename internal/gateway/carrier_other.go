//go:build !linux

package gateway

import (
	"example.com/berth"
	"example.com/berth/internal/policy"
)

// A carrier carries flows on a loop, which this system does not have.
type carrier struct{}

func (*carrier) init(*Gateway)                       {}
func (*carrier) carry(policy.Flow, *berth.Flow) bool { return false }
func (*carrier) close()                              {}
func (*carrier) finish() error                       { return nil }
