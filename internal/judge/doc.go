// Package judge plays one story to two hosts, berth and Linux, and finds where
// they differ: in what a call answers, what a socket can do, the state of the
// connection, and what is said on the wire.
//
// A [Schedule] is a list of steps: calls on the socket under test, segments from
// a peer that keeps to no rule, and waits. [Generate] makes one from a seed.
// [Play] plays it in a [World], which is a provider of sockets and the far end of
// its wire, and gives an [Observation] for each step. [Compare] holds two of
// those against each other, [Shrink] drops the steps that a difference does not
// need, and [Listing] prints what is left.
//
// # What is compared
//
// Numbers count from where each side began. The segments of the peer are given
// relative to the conversation: what is next, what was acknowledged, the edge of
// the window. So one schedule means the same to hosts that choose other numbers.
//
// Times are not compared. A step lasts a millisecond; what a host says within it
// is its answer. Some things may be said earlier or later than the other host
// says them, and some may be said or not: these are the rules of tolerance.go.
// What Linux does and berth does not, or otherwise, on purpose, is a short list
// of predicates in accepted.go, each with its reason; docs/linux.md is written
// from it.
//
// # Limits
//
// One connection, on a link without offloads. The sizes of windows are
// not compared, which follow from how each host counts memory, but whether they
// are open is. Neither is what is resent when.
package judge
