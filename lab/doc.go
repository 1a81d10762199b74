// Package lab makes networks for tests: hosts with real TCP, UDP and ICMP, over
// links that lose, delay and break, in one process, with no privileges, and under
// testing/synctest in no time.
//
//	func TestRetry(t *testing.T) {
//		lab.Test(t, func(t *testing.T, n *lab.Network) {
//			web, client := n.Host("web"), n.Host("client")
//			n.Link(web, client, lab.Delay(20*time.Millisecond), lab.Loss(0.3))
//			ln, _ := web.Listen("tcp", ":80")
//			go http.Serve(ln, handler)
//			resp, err := client.HTTPClient().Get("http://web/")
//			...
//		})
//	}
//
// A [Network] has hosts, routers, switches and NATs, by name, and links between
// them; [Network.Pair], [Network.Star], [Network.Chain], [Network.Dumbbell] and
// [Network.LAN] make the usual ones. Addresses and routes are assigned by
// themselves. A [Host] listens and dials like package net, with the names of the
// lab, and is a socket.Provider, with every option and call of that contract. A
// link has, each way, delay, jitter, loss, duplication, reordering, corruption, a
// rate and a queue, and rules, which are functions on packets; all of it can
// change while the network runs. Links are cut and healed, sets of hosts
// partitioned, hosts crashed and started again.
//
// # Time
//
// Inside synctest.Test, which [Test] wraps, time is that of the bubble: two hours
// of keepalives take milliseconds, and delays are exact. A network must be made
// inside the bubble that it is used in. Outside, the lab runs on the wall clock.
//
// # The same packets every time
//
// The same seed and the same calls give the same packets, byte by byte and
// nanosecond by nanosecond, whatever order the scheduler of Go runs goroutines in.
// Synctest gives virtual time but no order, so the lab has one loop that owns it:
// what programs ask for at one instant is gathered until everybody is blocked,
// and then done in an order that depends only on who asks (the host, the
// protocol, the ends of the socket), and those whose calls it completes are woken
// when it is done. Every random value comes from the seed.
//
// This is what it rests on, and where it ends:
//
//   - Two calls at one instant that nothing tells apart (several goroutines of one
//     host that connect to the same address) take their turns in the order in which
//     their goroutines were started, which is nearly always, not always, the same:
//     the runtime numbers goroutines in batches for each processor. [Host.As] gives
//     callers names, and with them the order is exact.
//   - Several goroutines that use one socket at one instant (two that accept from
//     one listener, or write to one connection) get their turn in the order the
//     scheduler gives them. So do goroutines that race for what they share outside
//     of the lab: a mutex, a channel with several receivers, a select with several
//     ready cases, the order of a map.
//   - A program's own random values and the clock outside of the bubble are its own.
//     TLS draws random values; packets are the same in number, time and length, not
//     in content.
//   - Timers of the program with no time to wait (time.After(0)) that are made while
//     the lab waits for everybody run beside it.
//   - On the wall clock nothing waits for everybody: the order is that of arrival.
//
// A program that holds a sync.Mutex across a call that waits can hang a bubble,
// in a lab as anywhere under synctest, because a goroutine that waits for a mutex is
// not durably blocked. Calls that wait are those that have to: Dial, Accept, Read
// without data, Write with a full buffer; besides, in a lab, those that take a port
// wait until it is their turn, in no time.
//
// # When a test fails
//
// The log has the seed, the flag that repeats it, the last packets as a ladder, and
// the socket tables of all hosts; in t.ArtifactDir (kept with go test -artifacts)
// are the packets of the whole lab as lab.pcapng, for Wireshark, with what was done
// to each as its comment, and lab.html, one page with the topology, the ladder, and
// plots of every TCP connection; see package report.
//
//	-lab.seed=N    run with this seed
//	-lab.seeds=N   run each lab.Test over N seeds
//	-lab.shrink    run what fails again with fewer random faults, and print what is left
//
// # Limits
//
// Hosts have no IPv6 link-local addresses and do not speak DHCP or DNS among each
// other: names are the lab's. Routes follow the topology, not what is cut. There
// are at most 32768 links and 128 switches with addresses that the lab chooses.
package lab
