// Package berth is a TCP/IP host in pure Go: interfaces, routes, ARP and
// neighbor discovery, IPv4 and IPv6, ICMP, UDP and TCP, and Berkeley sockets on
// top, all in the program's own memory.
//
// A [Host] is a machine of its own on the network. It is attached to devices
// (package link and those below it): a wire in memory to other hosts, a TUN or
// TAP to the operating system, an Ethernet interface.
//
//	host := berth.NewHost(berth.Config{})
//	_, err := host.Attach(dev, "10.77.0.2/24")
//	s, err := host.Socket(socket.INET, socket.STREAM, 0)
//
// It implements [socket.Provider]; package netconn puts net.Conn and
// net.Listener on it.
//
// # Its parts
//
// What decides is in pure rooms below internal/, functions of (state, input,
// now): the TCP machine, the neighbor cache, the routing table, reassembly, and
// so on. This package is the shell around them: it gives them time and a lock,
// takes frames from devices to sockets and back, and blocks callers.
//
//   - The configuration: host.go, network.go, interface.go, routing.go, gateways.go,
//     redirects.go, neighbors.go, ipv6conf.go, acd.go, groups.go.
//   - The way up of a frame: input.go, deliver.go, fragments.go, then tcpinput.go
//     with arrivals.go, udpinput.go, icmpinput.go, raw.go.
//   - Packets for others: forward.go, which routes them; forwarder.go, flows.go and
//     foreign.go, which have a [Forwarder] answer for everybody; redirecting.go.
//   - Options of IPv4: sentoptions.go, gotoptions.go.
//   - The way down: stream.go, datagram.go, raw.go, then outbox.go, output.go,
//     path.go.
//   - Sockets: sock.go, wait.go, poll.go, options.go, reports.go, zerocopy.go, and demux.go,
//     which finds them.
//
// # Concurrency
//
// The goroutine that brings a frame takes it to the socket's buffer and sends
// what answers it. There is no goroutine for a connection, a packet or a socket;
// one timer serves the host. Every wait is on a condition variable, a channel or
// a timer, so that a host runs in a bubble of testing/synctest, on its time.
//
// # Limits
//
// Everything that a peer can make the host keep has a bound, and everything
// that is dropped or refused is counted under its cause: see [Counters]. Fast
// Open and SYN cookies are not there yet, nor are SCTP and DCCP.
package berth
