package sockets

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/socket"
	"github.com/vishvananda/netlink"
)

func TestProcRows(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the tables here are of a little-endian machine")
	}
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
	const raw4 = "    1: 0100007F:0001 00000000:0000 07 00000010:00000020 00:00000000 00000000  1000        0 4242 2 0000000000000000 0\n"
	rows, err := procRows(strings.NewReader(head+raw4+"short line\n"), "raw", 4, 0)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	want := Row{
		Netid: "raw", Family: 4, State: "UNCONN", SendQ: 0x10, RecvQ: 0x20, UID: 1000, Inode: 4242, Protocol: 1,
		Local: netip.MustParseAddrPort("127.0.0.1:0"), Peer: netip.MustParseAddrPort("0.0.0.0:0"),
	}
	if got := rows[0]; got.Local != want.Local || got.Peer != want.Peer || got.State != want.State || got.SendQ != want.SendQ ||
		got.RecvQ != want.RecvQ || got.UID != want.UID || got.Inode != want.Inode || got.Protocol != want.Protocol {
		t.Errorf("row %+v, want %+v", got, want)
	}
	if a := procAddr("000080FE000000000000000001000000:003A"); a != netip.MustParseAddrPort("[fe80::1]:58") {
		t.Errorf("address %v", a)
	}
	for _, bad := range []string{"", "xyz:1", "00:1", "0000:0000"} {
		if a := procAddr(bad); a.Addr().IsValid() {
			t.Errorf("%q is %v", bad, a)
		}
	}
}

func TestKernelShowsARawSocket(t *testing.T) {
	s, err := kernel.Sockets().Socket(socket.INET6, socket.RAW, socket.IPPROTO_ICMPV6)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("raw sockets are not allowed here: CAP_NET_RAW is missing")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := Kernel(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Netid == "raw" && r.Family == 6 && r.Protocol == 58 {
			return
		}
	}
	t.Errorf("no raw ICMPv6 socket in %v", rows)
}

func TestDumpsThatAreInterruptedAreAskedForAgain(t *testing.T) {
	n := 0
	list, err := dump(func() ([]int, error) {
		n++
		if n < 3 {
			return []int{n}, netlink.ErrDumpInterrupted
		}
		return []int{n}, nil
	})
	if err != nil || len(list) != 1 || list[0] != 3 {
		t.Errorf("%v, %v", list, err)
	}
	list, err = dump(func() ([]int, error) { return []int{1}, netlink.ErrDumpInterrupted })
	if err != nil || len(list) != 1 {
		t.Errorf("always interrupted: %v, %v", list, err)
	}
}
