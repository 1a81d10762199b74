// Package sockettest is the conformance suite of package socket: one list of
// cases that every [socket.Provider] passes.
//
//	sockettest.Run(t, sockettest.Env{A: a, B: b, AddrA4: ..., AddrB4: ...})
//
// Linux is the judge. Each case states a rule and holds a provider to it; what
// it expects is what Linux does, and package kernel passes all of it. A provider
// that differs on purpose says so, case by case, in [Env.Differences].
//
// Cases is the list of cases; go test -run TestList -v prints it. One case, or
// the cases of one subject, run with -run 'TestOfTheProvider/subject/what'.
//
// A case sets up what it needs out of sockets alone, waits only in calls that
// block and in Poll, and never sleeps. Every socket has a deadline, so that a
// provider that hangs fails one case and not the run. Numbers that Linux takes
// from a sysctl are not expected.
package sockettest
