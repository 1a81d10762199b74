package icmp

import (
	"bytes"
	"strings"
	"testing"

	"example.com/berth/internal/header"
)

// HOST-38, HOST-39, HOST-154.
func TestErrorMessagesQuoteAsMuchAsFits(t *testing.T) {
	src, dst := addr("2001:db8::2"), addr("2001:db8::1")
	for _, size := range []int{0, 8, 500, 600, 1300, 65000} {
		data := strings.Repeat("x", size)
		packet := packet4(header.IPv4{Protocol: 17}, data)
		h := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4PortUnreachable, Checksum: 0xdead}
		b := AppendError4([]byte("IP"), &h, packet)[2:]
		if len(b) != min(8+len(packet), 556) || !bytes.Equal(b[8:], packet[:len(b)-8]) || header.Fold(header.Sum(b, 0)) != 0 {
			t.Errorf("IPv4, %d bytes: a message of %d", size, len(b))
		}
		packet = packet6(header.IPv6{NextHeader: 17}, data)
		h = Problem6(&header.ParameterProblem{Code: 2, Pointer: 42})
		b = AppendError6([]byte("IP"), &h, packet, src, dst)[2:]
		sum := header.PseudoSum(src, dst, header.ProtocolICMPv6, len(b))
		if len(b) != min(8+len(packet), 1240) || !bytes.Equal(b[8:], packet[:len(b)-8]) || header.Fold(header.Sum(b, sum)) != 0 {
			t.Errorf("IPv6, %d bytes: a message of %d", size, len(b))
		}
		if string(b[:2]) != "\x04\x02" || b[7] != 42 {
			t.Errorf("IPv6: % x", b[:8])
		}
	}
}

func TestEchoReplies(t *testing.T) {
	src, dst := addr("2001:db8::2"), addr("2001:db8::1")
	for _, data := range []string{"", "odd", "even", strings.Repeat("\xff", 1473)} {
		request := []byte("\x08\x09\x00\x00\x12\x34\x00\x01" + data)
		header.PutICMPv4Checksum(request)
		reply := AppendEchoReply4(nil, request)
		if reply[0] != 0 || reply[1] != 0 || !bytes.Equal(reply[4:], request[4:]) || header.Fold(header.Sum(reply, 0)) != 0 {
			t.Errorf("ICMPv4: % x", reply[:8])
		}
		if request[0] != 8 {
			t.Error("the request was changed")
		}
		request[0] = header.ICMPv6EchoRequest
		header.PutICMPv6Checksum(request, dst, src)
		reply = AppendEchoReply6(nil, request, src, dst)
		sum := header.PseudoSum(src, dst, header.ProtocolICMPv6, len(reply))
		if reply[0] != 129 || !bytes.Equal(reply[4:], request[4:]) || header.Fold(header.Sum(reply, sum)) != 0 {
			t.Errorf("ICMPv6: % x", reply[:8])
		}
	}
}

func TestBuildingDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 1500)
	packet := packet4(header.IPv4{Protocol: 17}, strings.Repeat("x", 1400))
	h := header.ICMP{Type: header.ICMPv4Unreachable}
	if n := testing.AllocsPerRun(100, func() {
		AppendError4(b, &h, packet)
		AppendEchoReply4(b, packet)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppendEchoReply4(b *testing.B) {
	reply := make([]byte, 0, 1500)
	request := []byte(packet4(header.IPv4{Protocol: header.ProtocolICMP}, strings.Repeat("x", 1400)))[20:]
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		AppendEchoReply4(reply, request)
	}
}
