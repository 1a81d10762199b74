// Package heavy runs the demanding users of package net over berth hosts: gRPC,
// QUIC, SSH, HTTP/2 over TLS, and yamux. There is nothing in it but tests. It is a
// module of its own so that none of that code is ever a dependency of berth.
//
// Each user runs on a good wire over IPv4 and over IPv6, on a line that loses one
// packet in a hundred and delays all of them, and on the fake time of
// testing/synctest on such a line.
//
// Limits: nats-server is not here, since it takes no listener from outside.
package heavy
