// Package ipoptions is what a host does with the options of IPv4 (RFC 791
// section 3.1, RFC 1122 section 3.2.1.8): it checks those that a program wants
// sent and those that came, fills in what is recorded on the way, and follows
// and reverses source routes.
//
//   - syntax.go walks options and finds those that somebody has to act upon.
//   - compile.go makes [Options], which are ready to be sent, of what a program
//     gave.
//   - received.go has [Received], the options of a packet that came: where its
//     source route goes on, what this host records in it, and what goes back with
//     an answer.
//
// What is taken for malformed, what only a privileged program may send and what
// comes back follows Linux, but for source routes that only a connection's later
// segments bring, which Linux does not look at.
//
// Limits: options are text in the form of the header, at most [MaxLen] bytes.
// CIPSO and the security options are neither checked nor acted upon.
package ipoptions
