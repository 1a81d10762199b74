// Package script runs test scripts in packetdrill's language against a berth
// host: socket calls, and packets that come in and that the host is to answer
// with, on one time axis.
//
//	0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
//	+0  bind(3, ..., ...) = 0
//	+0  listen(3, 1) = 0
//	+0  < S 0:0(0) win 32792 <mss 1460>
//	+0  > S. 0:0(0) ack 1 <mss 1460>
//	+.1 < . 1:1(0) ack 1 win 257
//	+0  accept(3, ..., ...) = 4
//
// [Parse] reads a script, [Script.Run] plays it. The host is one of the process,
// with a clock that stands still but when the script says otherwise: hours take
// milliseconds, times are exact, and every run is the same. Nothing is shared
// between runs, so scripts run in parallel, and none needs a privilege.
//
// # Meaning
//
// Sequence numbers count from each side's first, those of segments without SYN from
// the number that the script gives to the SYN, and those of the peer are chosen so
// that they wrap around early. Timestamps of the host are what the
// script calls them; what the peer echoes is translated. A relative time counts
// from when the event before was over. A time may be off by the tolerance, or by
// an eighth of the gap if that is more. A packet of the host that no line expects
// is no error until one expects another. What the host's data is cut into may
// differ, unless --strict_segments is set, and PSH with it. Checksums are checked,
// the bytes of data are not.
//
// A call that waits (+0...0.2 accept(...) = 4) must end when the script says so;
// others must not wait. Calls are made on non-blocking sockets and tried again
// after each event, which a program cannot tell from waiting.
//
// Keys are structs of Linux's, in which ... is the peer's address, and the options md5
// and ao without digits are right for the segment:
//
//	+0  setsockopt(3, SOL_TCP, TCP_MD5SIG, {tcpm_addr=..., tcpm_key="secret"}, 216) = 0
//	+0  setsockopt(3, SOL_TCP, TCP_AO_ADD_KEY, {addr=..., sndid=1, rcvid=2, alg_name="hmac(sha1)", key="k"}, 288) = 0
//	+0  < . 1:1(0) ack 1 win 257 <nop,nop,md5>
//	+0  > . 1:1(0) ack 1 <ao keyid 1 rnextkeyid 2>
//
// The words TFO_COOKIE and TFO_COOKIE_ZERO are the cookies of servers with the key of
// defaults.sh, and with one of zeros.
//
// # Parts
//
// The language: token.go, lexer.go, parse*.go give the values of ast.go and
// expr.go. The run: run.go (the events), expect.go and outbound.go (packets of
// the host), inbound.go and icmp.go (those of the peer), flow.go (how numbers are
// translated), call*.go and control.go, snippet.go with condition.go and
// evaluate.go (assertions on TCP_INFO and TCP_CC_INFO), sign.go and cookie.go (what
// packets prove), shell.go with words.go, table.go, procnet.go and nstat.go
// (commands). Below
// it: world.go, with clock.go and wire.go for a host of berth's, and system.go for
// another system in real time, such as the kernel, which [Config] can have in its
// place.
//
// # Settings
//
// A [Profile] gives the host the defaults of the system that a script was written
// for. Its commands change them: sysctl with the names of Linux and of FreeBSD
// (sysctl.go, sysctlfixed.go), defaults.sh and set_sysctls.py, and some of ip, tc and
// ethtool. Lines of ss, sockstat and netstat, grep and cat of /proc/net/tcp, and nstat,
// with grep and wc behind them, are answered from the host's table of sockets and from
// its counters, and fail as a command does.
//
// # Limits
//
// What a script asks for and cannot have ends it with an [Error] that is marked
// Unsupported; nothing is passed over in silence. That is: packets within GRE,
// MPLS and IP, SCTP, damaged packets, control data to send but the
// traffic class and the hop limit, code that is more than assert, print and
// assignments, and commands that have no counterpart in a host's configuration. A
// command that has none, and none is needed, leaves a note in [Result].
package script
