// Package examples runs well-known programs in networks of package lab, on fake
// time: hours of them in seconds. There is nothing in it but tests. It is a module
// of its own, so that none of that code is ever a dependency of berth.
//
//	net/http            HTTP/1.1, HTTP/2 over TLS
//	gRPC                calls, streams, deadlines, keepalives
//	quic-go             streams, the idle timeout
//	hashicorp/raft      five servers; the leader is cut off, and comes back
//	etcd's Raft         five servers; one leader crashes, the next is cut off
//	memberlist          five members in two racks; the cable between them is cut
//	NATS                a publisher that is cut off from its server
//
// Each of them goes through loss, and through a partition that heals.
//
// # What a program needs
//
// A place for a listener and a dial function, or for a transport of its own. Raft
// has a StreamLayer, memberlist a Transport, QUIC takes any net.PacketConn, gRPC a
// net.Listener and WithContextDialer, nats.go a CustomDialer. A nats-server has none:
// its Options take addresses, and it calls net.Listen for clients, net.Dialer for
// routes. For clients InProcessConn is a way in, with one goroutine each way between
// it and the lab's connection; a cluster of servers has none.
//
// # What fake time asks of it
//
// That nobody waits for a sync.Mutex while its holder waits for the network, as a
// goroutine that waits for a mutex keeps time from moving. HTTP/2 and gRPC hold one
// while they write: with send buffers that take all that is written, as roomy gives
// to hosts, their writes do not wait. Nats.go holds one while it dials: whoever calls
// Publish, Close or IsReconnecting during an attempt to connect hangs the bubble, so
// the test calls between attempts.
//
// And that nothing is kept from one bubble to the next. Nats.go has a pool of timers,
// which the test empties.
//
// # What is the same every time
//
// With testing/cryptotest for random values, HTTP/1.1 and etcd's Raft give the same
// capture in every run, byte by byte, with one processor or several, and with the race
// detector. The others do not, as they are not deterministic themselves:
//
//   - HTTP/1.1 and HTTP/2 with many requests at one instant: goroutines race for the
//     idle connection, and for the one connection's lock. With GOMAXPROCS=1 captures
//     are the same.
//   - gRPC: the goroutine that writes races with the one that reads, and so frames
//     that become ready at one instant go out in one segment or in two. It also takes
//     the jitter of its backoff from math/rand.
//   - QUIC: which frames share a packet depends on which of the connection's
//     goroutines comes first. With one processor captures are mostly the same.
//   - hashicorp/raft and memberlist: timeouts, and whom to talk to, come from the one
//     source of math/rand, in the order in which goroutines of all servers happen to
//     ask.
//   - NATS: the server's pings have a jitter from math/rand.
package examples
