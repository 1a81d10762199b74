// Package ladder records what passes between two hosts, and what their programs
// call, and draws it as a time-sequence diagram:
//
//	 ms alice                                              bob
//	0.3 ● Connect(10.0.0.2:7)  SYN-SENT                      │
//	0.4 │──── SYN  seq 0  mss 1460 ─────────────────────────▶│
//	5.6 │◀───────────────────── SYN ACK  seq 0  ack 1 ───────│
//
// Its parts: a Trace records; a Packet is what one frame on the wire says, read
// with the host's own parsers; flows turns sequence numbers into relative ones
// and finds what was sent again; Excerpt chooses what is worth showing of many
// events; Draw draws.
//
// Limits: two hosts, and packets are shown at the time at which they were sent.
package ladder
