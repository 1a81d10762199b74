package sockets

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"example.com/berth/socket"
	"golang.org/x/sys/unix"
)

// rawSockets reads raw and ping sockets from /proc/net: inet_diag has the raw
// ones only where a module is loaded, and ping sockets never.
func rawSockets() ([]Row, error) {
	var rows []Row
	for _, file := range []struct {
		name, netid string
		family      int
		protocol    int // 0: it stands where other sockets have their port
	}{
		{"icmp", "icmp", 4, unix.IPPROTO_ICMP},
		{"icmp6", "icmp6", 6, unix.IPPROTO_ICMPV6},
		{"raw", "raw", 4, 0},
		{"raw6", "raw", 6, 0},
	} {
		f, err := os.Open("/proc/net/" + file.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if err != nil {
			return nil, err
		}
		more, err := procRows(f, file.netid, file.family, file.protocol)
		f.Close()
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// procRows reads a table of /proc/net. The first line is its head.
func procRows(r io.Reader, netid string, family, protocol int) ([]Row, error) {
	var rows []Row
	lines := bufio.NewScanner(r)
	for first := true; lines.Scan(); first = false {
		// sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode
		f := strings.Fields(lines.Text())
		if first || len(f) < 10 {
			continue
		}
		row := Row{Netid: netid, Family: family, Protocol: protocol}
		row.Local, row.Peer = procAddr(f[1]), procAddr(f[2])
		state, _ := strconv.ParseUint(f[3], 16, 8)
		row.State = stateName(socket.TCPState(state))
		tx, rx, _ := strings.Cut(f[4], ":")
		row.SendQ, row.RecvQ = procHex(tx), procHex(rx)
		row.UID, _ = strconv.Atoi(f[7])
		inode, _ := strconv.ParseUint(f[9], 10, 32)
		row.Inode = uint32(inode)
		if protocol == 0 {
			row.Protocol = int(row.Local.Port())
			row.Local = netip.AddrPortFrom(row.Local.Addr(), 0)
		}
		rows = append(rows, row)
	}
	return rows, lines.Err()
}

func procHex(s string) int {
	n, _ := strconv.ParseUint(s, 16, 32)
	return int(n)
}

// procAddr reads "0100007F:0016": words in the order of the machine.
func procAddr(s string) netip.AddrPort {
	addr, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(addr)
	if err != nil || len(b)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a, uint16(procHex(port)))
}

// addOwners finds the processes that have the sockets open, by their
// descriptors in /proc. Processes of others are passed over.
func addOwners(rows []Row) {
	byInode := make(map[string][]int)
	for i, r := range rows {
		if r.Inode != 0 {
			link := "socket:[" + strconv.Itoa(int(r.Inode)) + "]"
			byInode[link] = append(byInode[link], i)
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well formed
	for _, path := range links {
		target, err := os.Readlink(path)
		if err != nil || byInode[target] == nil {
			continue
		}
		parts := strings.Split(path, "/") // "", proc, PID, fd, N
		pid, _ := strconv.Atoi(parts[2])
		fd, _ := strconv.Atoi(parts[4])
		u := User{Name: processName(parts[2]), PID: pid, FD: &fd}
		for _, i := range byInode[target] {
			rows[i].Users = append(rows[i].Users, u)
		}
	}
}

func processName(pid string) string {
	b, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(b))
}
