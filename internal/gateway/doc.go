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
//   - tcp.go, splice.go, hello.go: connections. The outside is dialled before the
//     inside is accepted, so that the program sees a refusal as a refusal and
//     silence as silence. Ends of a half and resets pass in both directions.
//   - udp.go: flows of datagrams, each on a connected socket of its own, with
//     ICMP errors brought back. echo.go: pings.
//   - dns.go: questions to the gateway's own addresses; publish.go: ports that the
//     world may reach inside.
//   - outside.go, ping.go: the world by way of the operating system.
//
// # Bounds
//
// Flows are bounded by Config.MaxFlows, what a flow holds by the buffers of its
// two sockets and, while data is under way, two buffers of 64 KiB; an idle one
// owns none. Beyond the bound nothing is begun and nothing answered.
//
// # Limits
//
// Other protocols than TCP, UDP and ICMP echo are refused. A ping does not bring
// back errors of routers outside. Of UDP the answers of a flow are those of the
// address that it goes to, as behind a symmetric NAT.
package gateway
