package script_test

import (
	"fmt"
	"strings"
)

// A scene is a segment for a state without a window: CLOSED, LISTEN and SYN-SENT
// (RFC 9293 3.10.7.1 to 3.10.7.3).
type scene struct {
	state, name string
	segment     string
	answer      string // empty: none
	rule        string
	after       []string // in place of what shows that the state is the same
}

const (
	dropped  = "is dropped"
	isReset  = "is answered with a reset"
	goesOver = "opens the connection"
)

var withoutWindow = []scene{
	{state: "closed", name: "syn", segment: "S 0:0(0)", answer: "R. 0:0(0) ack 1", rule: isReset},
	{state: "closed", name: "syn-ack", segment: "S. 0:0(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "closed", name: "rst", segment: "R 1:1(0)", rule: dropped},
	{state: "closed", name: "rst-ack", segment: "R. 1:1(0) ack 500", rule: dropped},
	{state: "closed", name: "ack", segment: ". 1:1(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "closed", name: "fin", segment: "F. 1:1(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "closed", name: "fin-without-ack", segment: "F 1:1(0)", answer: "R. 0:0(0) ack 2", rule: isReset},
	{state: "closed", name: "data", segment: "P. 1:11(10) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "closed", name: "data-without-ack", segment: "P 1:11(10)", answer: "R. 0:0(0) ack 11", rule: isReset},
	{state: "closed", name: "urg", segment: "PU. 1:11(10) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "closed", name: "no-flags", segment: "- 1:1(0)", answer: "R. 0:0(0) ack 1", rule: isReset},

	{state: "listen", name: "syn", segment: "S 0:0(0)", answer: "S. 0:0(0) ack 1 <mss 1460>", rule: goesOver, after: []string{
		"+.1 < . 1:1(0) ack 1" + peer, "+0  accept(3, ..., ...) = 4",
	}},
	{state: "listen", name: "syn-ack", segment: "S. 0:0(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "listen", name: "syn-rst", segment: "SR 0:0(0)", rule: dropped},
	{state: "listen", name: "rst", segment: "R 1:1(0)", rule: dropped},
	{state: "listen", name: "rst-ack", segment: "R. 1:1(0) ack 500", rule: dropped},
	{state: "listen", name: "ack", segment: ". 1:1(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "listen", name: "fin", segment: "F. 1:1(0) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "listen", name: "fin-without-ack", segment: "F 1:1(0)", rule: dropped},
	{state: "listen", name: "data", segment: "P. 1:11(10) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "listen", name: "data-without-ack", segment: "P 1:11(10)", rule: dropped},
	{state: "listen", name: "urg", segment: "PU. 1:11(10) ack 500", answer: "R 500:500(0)", rule: isReset},
	{state: "listen", name: "no-flags", segment: "- 1:1(0)", rule: dropped},

	{state: "syn-sent", name: "syn", segment: "S 0:0(0)", answer: "S. 0:0(0) ack 1 <mss 1460>", rule: "makes it a simultaneous open", after: []string{
		"+.1 < . 1:1(0) ack 1" + peer, "+0  %{ assert tcpi_state == TCP_ESTABLISHED }%",
	}},
	{state: "syn-sent", name: "syn-ack", segment: "S. 0:0(0) ack 1", answer: ". 1:1(0) ack 1", rule: goesOver, after: []string{
		"+0  %{ assert tcpi_state == TCP_ESTABLISHED }%",
	}},
	{state: "syn-sent", name: "syn-ack-of-nothing", segment: "S. 0:0(0) ack 0", answer: "R 0:0(0)", rule: isReset},
	{state: "syn-sent", name: "syn-ack-of-too-much", segment: "S. 0:0(0) ack 2", answer: "R 2:2(0)", rule: isReset},
	{state: "syn-sent", name: "rst", segment: "R 0:0(0)", rule: "without an acknowledgment " + dropped},
	{state: "syn-sent", name: "rst-ack", segment: "R. 0:0(0) ack 1", rule: "ends the attempt", after: []string{
		"+0  %{ assert tcpi_state == TCP_CLOSE }%", "+0  getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
	}},
	{state: "syn-sent", name: "rst-ack-of-nothing", segment: "R. 0:0(0) ack 0", rule: dropped},
	{state: "syn-sent", name: "rst-ack-of-too-much", segment: "R. 0:0(0) ack 2", rule: dropped},
	{state: "syn-sent", name: "ack", segment: ". 1:1(0) ack 1", rule: dropped},
	{state: "syn-sent", name: "ack-of-too-much", segment: ". 1:1(0) ack 2", answer: "R 2:2(0)", rule: isReset},
	{state: "syn-sent", name: "fin", segment: "F. 1:1(0) ack 1", rule: dropped},
	{state: "syn-sent", name: "fin-without-ack", segment: "F 1:1(0)", rule: dropped},
	{state: "syn-sent", name: "data", segment: "P. 1:11(10) ack 1", rule: dropped},
	{state: "syn-sent", name: "data-without-ack", segment: "P 1:11(10)", rule: dropped},
	{state: "syn-sent", name: "urg", segment: "PU. 1:11(10) ack 1", rule: dropped},
	{state: "syn-sent", name: "no-flags", segment: "- 1:1(0)", rule: dropped},
}

// script writes a scene.
func (c *scene) script() string {
	lines := []string{fmt.Sprintf("// %s: the segment %s.", strings.ToUpper(c.state), c.rule)}
	var alive []string
	switch c.state {
	case "closed":
		alive = []string{"+.1 < . 7:7(0) ack 700" + peer, "+0  > R 700:700(0)"}
	case "listen":
		lines = append(lines, listening...)
		alive = []string{"+.1 < . 7:7(0) ack 700" + peer, "+0  > R 700:700(0)", "+0  %{ assert tcpi_state == TCP_LISTEN }%"}
	case "syn-sent":
		lines = append(lines,
			"0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
			"+0  fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
			"+0  connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
			"+0  > S 0:0(0) <...>")
		alive = []string{"+.1 < S. 0:0(0) ack 1" + peer + " " + mss, "+0  > . 1:1(0) ack 1", "+0  %{ assert tcpi_state == TCP_ESTABLISHED }%"}
	}
	if c.after != nil {
		alive = c.after
	}
	segment := "< " + c.segment + peer
	if strings.HasPrefix(c.segment, "PU") {
		segment += " urg 1"
	}
	if strings.HasPrefix(c.segment, "S") {
		segment += " " + mss
	}
	lines = append(lines, "", "+.01 "+segment)
	if c.answer != "" {
		lines = append(lines, "+0  > "+c.answer)
	}
	return strings.Join(append(lines, alive...), "\n") + "\n"
}
