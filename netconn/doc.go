// Package netconn is the face of package net over any [socket.Provider]: a
// berth host, or the operating system by way of package kernel.
//
//	ln, err := netconn.Listen(host, "tcp", ":80")
//	http.Serve(ln, handler)
//
//	d := netconn.Dialer{Provider: host, Resolver: &netconn.DNS{Provider: host, Servers: servers}}
//	client := http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
//
// The parts are
//
//   - [Listen], [ListenPacket] and [ListenConfig], which has the options;
//   - [Dial] and [Dialer]: names, addresses of both families tried side by
//     side (Happy Eyeballs), time-outs, contexts;
//   - [TCPConn], [TCPListener], [UDPConn] and [IPConn], with the methods that
//     the types of package net have under these names, and Socket, which leads
//     to the contract below: all options, flags and control messages;
//   - [Resolver], the hook for names, and [DNS], a stub resolver that asks its
//     servers over the provider's own sockets.
//
// Networks, addresses, defaults and errors are those of package net: a failed
// call gives a *net.OpError with the same fields, errors.Is finds net.ErrClosed,
// os.ErrDeadlineExceeded, the context's errors and the syscall.Errno, and
// Timeout tells what it tells there.
//
// # Limits
//
// There are no Unix sockets, no MultipathTCP, no File and no SyscallConn: a
// socket need not be a descriptor. Out-of-band data are a [socket.Control]
// rather than bytes, whose layout differs between systems. Names are looked up
// with the Resolver that the Dialer or the ListenConfig has, else with the
// provider if that is one itself; the operating system's resolver is never asked
// behind its back (give net.DefaultResolver to ask it). Happy Eyeballs are those
// of package net: two families race, the addresses of one are tried in turn.
package netconn
