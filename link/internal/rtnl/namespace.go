package rtnl

import (
	"errors"
	"fmt"
)

// Namespace names a network namespace. The zero Namespace is the one of the
// calling thread.
type Namespace struct {
	path string
	fd   int
	set  bool
}

// NamespaceAt is the namespace that a path refers to, as /run/netns/NAME or
// /proc/PID/ns/net.
func NamespaceAt(path string) Namespace { return Namespace{path: path, fd: -1, set: true} }

// NamespaceOf is the namespace that an open descriptor refers to. It must stay
// open until the namespace has been entered.
func NamespaceOf(fd int) Namespace { return Namespace{fd: fd, set: true} }

func (ns Namespace) String() string {
	switch {
	case !ns.set:
		return "the current network namespace"
	case ns.path != "":
		return "network namespace " + ns.path
	}
	return fmt.Sprintf("network namespace of descriptor %d", ns.fd)
}

// ErrNamespace is wrapped by the errors of entering a namespace, not by those
// of what was done in it.
var ErrNamespace = errors.New("cannot enter it")
