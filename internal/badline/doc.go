// Package badline reads what a line is to be like, setting by setting, as flags,
// policy files and people have it:
//
//	profile  a line of a known kind, or perfect, which has no faults
//	delay    how long each packet takes
//	jitter   by how much that varies
//	loss     the share of packets that are lost
//	rate     bits a second
//	queue    how much waits before a line with a rate
//	trace    a file of mahimahi's that says when packets leave
//
// A [Spec] is a set of them. Each holds for both ways; a profile, which has its own
// for each, is changed by the others.
package badline
