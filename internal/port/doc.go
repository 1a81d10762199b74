// Package port keeps the local ports of a host: who has which, who may have
// it too, and which one to give to a socket that does not care.
//
// A [Table] holds the [Binding] of every socket that has a port. Bind, Listen
// and Connect answer as Linux does, which is the judge: testdata/conflicts.txt
// was recorded from a kernel, the tests hold the table against it, and where
// they run as root on Linux they record it anew and compare.
//
// # Sharing
//
// Two sockets contend for a port if their devices and their addresses have
// something in common. They then share it if both have SO_REUSEADDR and (with
// TCP) the first does not listen; or if both have SO_REUSEPORT and the same
// user, or the first is in TIME-WAIT. A port that Connect chose is shared by
// other such connections as long as no two have the same two ends.
//
// # Choosing
//
// A port is chosen at random among the free ones of the ephemeral range (RFC
// 6056 section 3.3.2, algorithm 2), and where none is free, among those that
// may be shared, from a random place on. RFC 6056 prefers its algorithms 3 to 5
// because they take longer to come back to a port that the peer may still have
// in TIME-WAIT. Here initial sequence numbers grow with time for each pair of
// ends (RFC 6528), which lets such a peer accept the new connection, and a port
// that depends on nothing but chance tells an attacker nothing.
//
// # Cost and limits
//
// A port with a hundred thousand connections costs what one with a few costs:
// the table counts owners that are alike in all that matters rather than
// looking at each. It grows with the sockets of the host, which bounds those.
// The address and the privilege to bind are the caller's to check. Which of
// several sockets on a port gets a packet is decided by the demultiplexer.
package port
