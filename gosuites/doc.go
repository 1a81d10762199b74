// Package gosuites runs the test suites of Go's standard library and of some
// well-known libraries over berth, and holds the results against those over the
// kernel: what passes there has to pass here.
//
//	go test .        # two to three minutes
//	go test . -full  # everything, about four
//
// # How it works
//
// Package overlay writes a file for go test -overlay that puts berth under
// package net: the suites are compiled against a package net whose sockets are
// those of a berth host in the process. They are unchanged, but that net's own
// tests make their system calls on sockets through the bridge, too. They are run
// twice, over clean loopback and over one that loses one TCP segment of a hundred
// and reorders as many (package bridge). Nothing is fetched: a suite is that of
// the toolchain or of a library in go.mod.
//
// Where it is allowed to (as root), each process runs in a network namespace of
// its own in which nothing is up, so that a connection over the kernel could not
// be made at all. And each process tells what its host has counted: a suite that
// sends nothing through berth fails.
//
// # What is judged
//
// Each test, subtests included. A test that fails or is skipped over berth is
// looked at again: on its own, because suites have timeouts that a busy machine
// does not keep, and then over the kernel. It counts if it fails again over
// berth and passes over the kernel. What is known not to pass stands in a table
// with the reason (exceptions.go); what stands there and passes is an error too.
//
// Without -full the long suites run over clean loopback only, and the kernel is
// asked only about what did not pass. With it the kernel runs every suite too,
// and the table that the test logs has its counts.
//
// # Limits
//
// Linux, and the release of Go that [overlay.Release] names. CGO is off, so that
// no resolver goes round package net. Tests that would leave the machine are not
// run: suites are run with -short where that is what keeps them from it. A
// result is that of a machine with some load: what fails over the kernel as well
// is noted and passes.
package gosuites
