//go:build !linux

package kernel

import (
	"syscall"

	"example.com/berth/kernel/internal/overnet"
)

// A Provider makes sockets on package net.
type Provider = overnet.Provider

var sockets Provider

// Sockets returns the Provider of the operating system's sockets. It is one and
// the same each time.
func Sockets() *Provider { return &sockets }

// InNamespace is ENOTSUP: network namespaces are Linux's.
func InNamespace(string) (*Provider, error) { return nil, syscall.ENOTSUP }
