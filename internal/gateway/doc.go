// Package gateway is the router between a program's network and the world: it
// ends the program's TCP, UDP and pings on a berth host of its own, and speaks to
// the world through the operating system's sockets, so that it needs no
// privileges.
//
//	g, err := gateway.New(gateway.Config{
//		Device: dev,
//		Addrs:  []netip.Prefix{netip.MustParsePrefix("10.0.2.2/24")},
//		Judge:  judge,
//	})
//	defer g.Close()
//
// # Its parts
//
//   - gateway.go: the configuration, making and ending one; flow.go: what all flows
//     have in common; judge.go: who may talk to whom, and what is told of it.
//   - carrier_linux.go, looped_linux.go, conn_linux.go, grams_linux.go: flows on a loop
//     (internal/eventloop), where their outside is the operating system: no goroutine
//     belongs to one. A packet of the program's is read, ended by the host, and what
//     was in it written outside, on one goroutine, and so is the way back. gramrun.go:
//     datagrams that go on together.
//   - tcp.go, splice.go, udp.go: the same with goroutines, for a Config.Dial, for
//     published ports, and for systems without loops.
//   - Of either: the outside is dialled before the inside is accepted, so that the
//     program sees a refusal as a refusal and silence as silence. Ends of a half and
//     resets pass in both directions. A flow of datagrams has a connected socket of its
//     own, and ICMP errors are brought back. hello.go: what is said first.
//   - echo.go: pings.
//   - dns.go: questions to the gateway's own addresses; publish.go: ports that the
//     world may reach inside.
//   - outside.go, ping.go: the world by way of the operating system.
//
// # Bounds
//
// Flows are bounded by Config.MaxFlows, what a flow holds by the buffers of its
// two sockets and, while data waits in between, two buffers of 64 KiB; an idle one
// owns none. Beyond the bound nothing is begun and nothing answered.
//
// # Limits
//
// Other protocols than TCP, UDP and ICMP echo are refused. A ping does not bring
// back errors of routers outside. Of UDP the answers of a flow are those of the
// address that it goes to, as behind a symmetric NAT.
package gateway
