package script

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"example.com/berth/socket"
)

// procFiles are the files that show the table of sockets.
var procFiles = map[string]struct {
	typ socket.Type
	v6  bool
}{
	"/proc/net/tcp": {socket.STREAM, false}, "/proc/net/tcp6": {socket.STREAM, true},
	"/proc/net/udp": {socket.DGRAM, false}, "/proc/net/udp6": {socket.DGRAM, true},
}

// asksForFiles tells whether a command is grep or cat of such files.
func asksForFiles(words []string) bool {
	if len(words) < 2 || words[0] != "grep" && words[0] != "cat" {
		return false
	}
	_, ok := procFiles[words[len(words)-1]]
	return ok
}

// fileLines is the output of grep or cat of such files; grep may fail to find
// something.
func (r *run) fileLines(at Pos, words []string) (lines []string, ok bool, err *Error) {
	from := len(words)
	for from > 1 && procFiles[words[from-1]].typ != 0 {
		from--
	}
	for _, name := range words[from:] {
		f := procFiles[name]
		lines = append(lines, "  sl  local_address rem_address   st tx_queue rx_queue")
		for i, s := range r.world.sockets() {
			if s.Type == f.typ && (s.Domain == socket.INET6) == f.v6 {
				lines = append(lines, fmt.Sprintf("%4d: %s %s %02X %08X:%08X", i, procEnd(s.Local, f.v6), procEnd(s.Remote, f.v6), uint8(s.State), s.SendQueue, s.RecvQueue))
			}
		}
	}
	if words[0] == "cat" {
		return lines, true, nil
	}
	return filterLines(at, words[:from], lines)
}

// procEnd is one end of a connection as the kernel prints it: words of the
// address as they lie in the memory of a little-endian machine.
func procEnd(a netip.AddrPort, v6 bool) string {
	b := make([]byte, 4)
	if v6 {
		b = make([]byte, 16)
	}
	if ip := a.Addr(); ip.IsValid() && v6 {
		full := ip.As16()
		copy(b, full[:])
	} else if ip.IsValid() {
		copy(b, ip.Unmap().AsSlice())
	}
	var text strings.Builder
	for ; len(b) > 0; b = b[4:] {
		fmt.Fprintf(&text, "%08X", binary.LittleEndian.Uint32(b))
	}
	return fmt.Sprintf("%s:%04X", text.String(), a.Port())
}
