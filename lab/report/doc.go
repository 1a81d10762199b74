// Package report tells what happened in a network of hosts: as one HTML file
// that needs nothing but a browser, and as text.
//
// It is given everything as a value, a [Recording]: the nodes and the links
// between them, each packet with what became of it, samples of TCP's state, and
// remarks. [Write] makes the page, [WriteText] the text. Equal recordings make
// equal files.
//
// # The page
//
// It opens from a file, refers to nothing outside itself, and says so to the
// browser with a content security policy. Its views:
//
//   - Overview: the failure, the command that repeats the run, the topology with
//     counters for each link and direction.
//   - Ladder: a column for each node that sent or received, time downwards, an
//     arrow for each packet on each link, from when it was sent to when it
//     arrived. What was lost ends in a cross with the reason. In true scale, or
//     compressed: each packet has room and idle time is cut, so that a two-hour
//     keepalive is read as easily as a handshake. Filters by flow, by text, by
//     fate. A packet's headers, field by field, with its bytes.
//   - TCP: for each direction of each connection the plots of tcptrace
//     (time-sequence with retransmissions, acknowledgements, the window and SACK
//     blocks), bytes in flight, the congestion window with its threshold, and
//     round trips with the retransmission timeout, all on one axis of time.
//   - Events: notes, losses and other impairments, changes of TCP's state.
//   - Sockets: the tables of sockets at the end.
//
// # Theory of operation
//
// Packets are read here, with the host's own parsers (dissect.go and its
// siblings), and become a label, a list of fields, and numbers. Flows gives each
// packet its five-tuple, makes TCP's numbers relative and tells what was sent
// before (flows.go, stream.go). All of it becomes columns of numbers and
// strings in JSON, compressed, as base64 in the page (columns.go): nothing that
// a host is named or sends can end the element that it stands in. The page's
// programs (page/*.js) unpack it and set text as text only. They draw what is in
// view and no more.
//
// A sender's plots show what it saw: segments when it sent them, and
// acknowledgements when they reached it. Where a packet crosses several links,
// that is its first and its last one, by the addresses of the nodes; a NAT
// begins a flow of its own on its far side.
//
// # Limits
//
//   - The page takes [MaxPackets] packets, [MaxSamples] samples and [MaxNotes]
//     notes, halves from the beginning and from the end, and says what it leaves
//     out. Flows and sequence numbers are those of all packets.
//   - Bytes of packets share [MaxBytes]; of a packet the page holds at least its
//     headers as far as they were recorded.
//   - Relative sequence numbers follow a stream of any length, as long as no two
//     segments in a row are 2 GiB apart.
//   - Browsers need DecompressionStream: Chromium 80, Firefox 113, Safari 16.4.
package report
