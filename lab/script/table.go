package script

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/berth"
	"example.com/berth/socket"
)

// shellPipe does a line that asks for the table of sockets: ss, sockstat or
// netstat, or /proc/net/tcp and its like, or for what is counted: nstat; with grep
// and wc behind it. As in a shell, the line fails if its last command does, and a
// "!" before it turns that round.
func (r *run) shellPipe(at Pos, words []string) *Error {
	text := strings.Join(words, " ")
	not := words[0] == "!"
	if not {
		words = words[1:]
	}
	stages := splitPipe(words)
	lines, ok, err := r.answer(at, stages)
	if err != nil {
		return err
	}
	shown := lines
	for _, s := range stages[1:] {
		if lines, ok, err = filterLines(at, s, lines); err != nil {
			return err
		}
	}
	if ok == not {
		return errorf(at, "the command %q fails; there is:\n    %s%s", text, strings.Join(shown, "\n    "), r.before())
	}
	return nil
}

// answersFromHost tells whether a line is one for shellPipe.
func answersFromHost(words []string) bool {
	if words[0] == "!" && len(words) > 1 {
		words = words[1:]
	}
	return slices.Contains([]string{"ss", "sockstat", "netstat", "nstat"}, words[0][strings.LastIndexByte(words[0], '/')+1:]) ||
		asksForFiles(splitPipe(words)[0])
}

// answer is the output of the first command of a pipe, and whether that succeeds.
func (r *run) answer(at Pos, stages [][]string) (lines []string, ok bool, err *Error) {
	first := stages[0]
	switch {
	case len(first) > 0 && strings.HasSuffix(first[0], "nstat"):
		lines, err = r.counterLines(at, stages)
		return lines, true, err
	case asksForFiles(first):
		return r.fileLines(at, first)
	}
	lines, err = r.socketLines(at, first)
	return lines, true, err
}

// splitPipe cuts a line at its bars.
func splitPipe(words []string) (stages [][]string) {
	stages = [][]string{nil}
	for _, w := range words {
		if w == "|" {
			stages = append(stages, nil)
			continue
		}
		stages[len(stages)-1] = append(stages[len(stages)-1], w)
	}
	return stages
}

// stateNames are those of ss, by the number of the state; ss takes the ones of
// the RFC as well.
var stateNames = [...]string{
	"", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
}

// A tableFilter is what the words of ss choose. Those of sockstat and netstat are
// among them, and both show all states.
type tableFilter struct {
	bsd                                        bool
	tcp, udp, listening, all, noHeader, v4, v6 bool
	states                                     []string
	sport, dport                               uint16
}

// socketLines is the output of such a command.
func (r *run) socketLines(at Pos, words []string) ([]string, *Error) {
	if len(words) == 0 {
		return nil, errorf(at, "a command is missing before '|'")
	}
	bsd := !strings.HasSuffix(words[0], "ss")
	f := tableFilter{bsd: bsd, all: bsd}
	if !f.read(words[1:]) {
		return nil, unsupported(at, "the command %q", strings.Join(words, " "))
	}
	var lines []string
	if !f.noHeader {
		lines = append(lines, "State Recv-Q Send-Q Local Address:Port Peer Address:Port")
	}
	for _, s := range r.world.sockets() {
		if f.takes(&s) {
			lines = append(lines, fmt.Sprintf("%s %d %d %s %s", stateOf(&s, f.bsd), s.RecvQueue, s.SendQueue, endText(s.Local), endText(s.Remote)))
		}
	}
	return lines, nil
}

// stateOf is the name of a state as ss has it, or as FreeBSD does.
func stateOf(s *berth.SocketInfo, bsd bool) string {
	switch {
	case bsd && s.State == socket.TCP_SYN_RECV:
		return "SYN_RCVD"
	case bsd:
		return strings.ReplaceAll(s.State.String(), "-", "_")
	case int(s.State) < len(stateNames):
		return stateNames[s.State]
	}
	return "UNKNOWN"
}

// endText is one end of a connection, or "*" for one that is open.
func endText(a netip.AddrPort) string {
	host, port := "*", "*"
	if a.Addr().IsValid() && !a.Addr().IsUnspecified() {
		host = a.Addr().Unmap().String()
	}
	if a.Port() != 0 {
		port = strconv.Itoa(int(a.Port()))
	}
	return host + ":" + port
}

// read takes the words behind the command.
func (f *tableFilter) read(words []string) bool {
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		switch {
		case strings.HasPrefix(w, "-") && len(w) > 1:
			if !f.flags(w[1:]) {
				return false
			}
		case w == "state" && len(words) > 0:
			f.states, words = append(f.states, strings.Replace(strings.ToUpper(words[0]), "LISTENING", "LISTEN", 1)), words[1:]
		case (w == "sport" || w == "dport") && len(words) > 1 && (words[0] == "=" || words[0] == "eq"):
			n, err := strconv.ParseUint(words[1][strings.LastIndexByte(words[1], ':')+1:], 10, 16)
			if err != nil {
				return false
			}
			if w == "sport" {
				f.sport = uint16(n)
			} else {
				f.dport = uint16(n)
			}
			words = words[2:]
		case w == "tcp" || w == "udp": // sockstat -P tcp
			f.tcp, f.udp = f.tcp || w == "tcp", f.udp || w == "udp"
		case w == "(" || w == ")" || w == "and":
		default:
			return false
		}
	}
	return true
}

func (f *tableFilter) flags(letters string) bool {
	for _, c := range letters {
		switch c {
		case 't':
			f.tcp = true
		case 'u':
			f.udp = true
		case 'l':
			f.listening = true
		case 'a':
			f.all = true
		case 'H', 'q':
			f.noHeader = true
		case '4':
			f.v4 = true
		case '6':
			f.v6 = true
		case 'n', 'e', 'i', 'm', 'o', 's', 'P', 'p', 'c':
		default:
			return false
		}
	}
	return true
}

// takes tells whether a socket is shown.
func (f *tableFilter) takes(s *berth.SocketInfo) bool {
	listens := s.State == socket.TCP_LISTEN || s.State == socket.TCP_CLOSE
	name := stateOf(s, false)
	switch {
	case (f.tcp || f.udp) && !(f.tcp && s.Type == socket.STREAM || f.udp && s.Type == socket.DGRAM):
		return false
	case f.v4 != f.v6 && s.Local.Addr().Unmap().Is4() != f.v4:
		return false
	case f.sport != 0 && s.Local.Port() != f.sport, f.dport != 0 && s.Remote.Port() != f.dport:
		return false
	case len(f.states) > 0:
		return slices.ContainsFunc(f.states, func(want string) bool { return want == name || want == s.State.String() || want == "ALL" })
	}
	return f.all || listens == f.listening
}

// filterLines is grep or wc -l; it tells whether the command succeeds.
func filterLines(at Pos, words, lines []string) (out []string, ok bool, err *Error) {
	if len(words) == 2 && words[0] == "wc" && words[1] == "-l" {
		return []string{strconv.Itoa(len(lines))}, true, nil
	}
	if len(words) == 0 || words[0] != "grep" {
		return nil, false, unsupported(at, "the command %q behind '|'", strings.Join(words, " "))
	}
	pattern, invert := "", false
	for _, w := range words[1:] {
		switch {
		case strings.HasPrefix(w, "-") && strings.Trim(w, "-qviEwF") == "":
			invert = invert || strings.Contains(w, "v")
			if strings.Contains(w, "i") {
				pattern = "(?i)" + pattern
			}
		case strings.TrimPrefix(pattern, "(?i)") == "":
			pattern += w
		default:
			return nil, false, unsupported(at, "the command %q", strings.Join(words, " "))
		}
	}
	re, bad := regexp.Compile(pattern)
	if bad != nil {
		return nil, false, unsupported(at, "the pattern %q: %v", pattern, bad)
	}
	for _, l := range lines {
		if re.MatchString(l) != invert {
			out = append(out, l)
		}
	}
	return out, len(out) > 0, nil
}
