// Package perf measures what a network and its stacks carry, between a client
// and a server: TCP or UDP, in either direction or both.
//
//	s := perf.Server{Listener: l, ListenPacket: listen, Print: printer}
//	err := s.Serve(ctx)
//
//	err := perf.Run(ctx, perf.Client{Dialer: d, Address: "10.77.0.2:50201"}, params, printer)
//
// # The protocol
//
// A client opens a TCP connection to the server and says what it wants. That is
// the control connection; the data go over connections of their own to the same
// port, or over UDP to the port of the same number. Every connection begins with
// a line (hello.go) that has the version of the protocol; on the control
// connection messages follow, each an object of JSON on a line of its own:
//
//	client: test      the parameters
//	server: ready     with a cookie that data connections begin with, or error
//	server: start     when all streams have come
//	each:   sent      when it has sent all, if it sends
//	each:   received  when it has received all, if it receives
//	client: stop      it was interrupted: who sends shall end
//
// Datagrams have a header of their own (datagram.go). A server does one test at a
// time and says so to others. What is read from a peer is bounded in length and
// in time, and its numbers are checked.
//
// # Limits
//
// Neither side proves who it is, and nothing is encrypted: a server serves
// whoever reaches it.
package perf
