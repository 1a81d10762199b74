package tcp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

// vectors are those of RFC 9235: packets with their IP headers, and the traffic keys
// of some. The master key of all is "testvector", the client's KeyID 61, the
// server's 84.
var vectors = []struct {
	name       string
	algorithm  socket.TCPAlgorithm
	exclude    bool
	client     uint32 // initial sequence numbers
	server     uint32
	trafficKey string
	packet     string
}{
	{
		"4.1.1", tcpauth.HMACSHA1, false, 0xfbfbab5a, 0x11c14261, "6d63ef1b02fe1509d4b1402707fd7b0416abb74f", `
		45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1d e9d700b3fbfbab5a00000000e002ffffcac40000
		020405b4010303080402080a00155ab700000000 1d103d542ee437c6f8ede6d7c4d602e7`,
	},
	{
		"4.1.2", tcpauth.HMACSHA1, false, 0xfbfbab5a, 0x11c14261, "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96", `
		45e0004c65064000ff063775ac1b1c1d 0a0b0c0d00b3e9d711c14261fbfbab5b e012ffff37760000020405b401030308
		0402080a84a50beb00155ab71d10543d eeab0fe24c3010815116b3be`,
	},
	{
		"4.1.3", tcpauth.HMACSHA1, false, 0xfbfbab5a, 0x11c14261, "d2e59c65ffc7b1a39347656463b70edc24a13d71", `
		45e0008736a14000ff06659f0a0b0c0d ac1b1c1de9d700b3fbfbab5b11c14262 c0180104a16200000101080a00155ac1
		84a50beb1d103d547064cf998cc6c315 c2c2e2bfffffffffffffffffffffffff ffffffff00430104dabf00b40a0b0c0d
		26020601040001000102028000020202 0002024200020641040000dabf020840 06006400010100`,
	},
	{
		"4.1.4", tcpauth.HMACSHA1, false, 0xfbfbab5a, 0x11c14261, "", `
		45e000871fa94000ff067c97ac1b1c1d 0a0b0c0d00b3e9d711c14262fbfbab9e c0180100400c00000101080a84a50bf5
		00155ac11d10543da63f0ecbbb2e635c 954deac7ffffffffffffffffffffffff ffffffff00430104dac000b4ac1b1c1d
		26020601040001000102028000020202 000202420002064104000 0dac0020840 06006400010100`,
	},
	{
		"4.2.1", tcpauth.HMACSHA1, true, 0xcb0efbee, 0xacd5b5e1, "30eaa1560cf0be57dab5c045229fb10a423cd7ea", `
		45e0004c53994000ff0648e20a0b0c0dac1b1c1d ff1200b3cb0efbee00000000e002ffff541f0000
		020405b4010303080402080a00024cce00000000 1d103d5480af3cfeb85368937b8f9ec2`,
	},
	{
		"4.2.2", tcpauth.HMACSHA1, true, 0xcb0efbee, 0xacd5b5e1, "b5b2896bb3664e8176b0edc6e799524101a8307f", `
		45e0004c32844000ff0669f7ac1b1c1d 0a0b0c0d00b3ff12acd5b5e1cb0efbef e012ffff388e0000020405b401030308
		0402080a576772f300024cce1d10543d 09306f9acea63a8c68cb9a70`,
	},
	{
		"4.2.4", tcpauth.HMACSHA1, true, 0xcb0efbee, 0xacd5b5e1, "", `
		45e0008754374000ff064809ac1b1c1d 0a0b0c0d00b3ff12acd5b5e2cb0efc32 c018010046b600000101080a576772f3
		00024cce1d10543d97766e48ac262de9 ae61b4f9ffffffffffffffffffffffff ffffffff00430104dac000b4ac1b1c1d
		26020601040001000102028000020202 0002024200020641040000dac0020840 06006400010100`,
	},
	{
		"5.1.1", tcpauth.AES128CMAC, false, 0x787a1ddf, 0xfadd6de9, "f5b8b3d5f34fdbb6eb8d4ab9660e60e3", `
		45e0004c7b9f4000ff0620dc0a0b0c0dac1b1c1d c4fa00b3787a1ddf00000000e002ffff5a0f0000
		020405b4010303080402080a00017ed000000000 1d103d54e477e99c8040765498e55091`,
	},
	{
		"6.1.1", tcpauth.HMACSHA1, false, 0x176a833f, 0x3f51994b, "625ec09d575836edc9b6428418bbf06989a361bb", `
		6e0891dc00380640fd000000000000000000000000000001 fd000000000000000000000000000002
		f7e400b3176a833f00000000 e002ffff47210000020405a0 010303080402080a0041d08700000000 1d103d549033ec3d7334b64c5edd039f`,
	},
	{
		"6.2.4", tcpauth.HMACSHA1, true, 0x020c1e69, 0xeba3734d, "405108947f996575e7bdbc26d40216a2c7fa91bd", `
		6e0a7e1f00730640fd00000000000000 0000000000000002fd00000000000000 000000000000000100b3c6cdeba3734e
		020c1eadc0180100716a00000101080a 5ec99b7a009db9651d10543d559a8194 45b4fde98d9e1317ffffffffffffffff
		ffffffffffffffff00430104fde800b4 0101017a260206010400010001020280 00020202000202420002064104000 0fd
		e80208400600640001 0100`,
	},
	{
		"7.1.2", tcpauth.AES128CMAC, false, 0x193cccec, 0xa6744ecb, "cf1b1e225e06a63616764a067b46f4b1", `
		6e06152000380640fd00000000000000 0000000000000002fd00000000000000 000000000000000100b3f85aa6744ecb
		193ccced e012ffffeabb0000020405a0 010303080402080a71daabc813e4ab99 1d10543ddc2843a84e78a6bcfdc5ed80`,
	},
	{
		"7.1.4", tcpauth.AES128CMAC, false, 0x193cccec, 0xa6744ecb, "", `
		6e06152000730640fd00000000000000 0000000000000002fd00000000000000 000000000000000100b3f85aa6744ecc
		193ccd30c018010052f400000101080a 71daabd313e4aba31d10543dc1069b7d fd3d693a6df3f289ffffffffffffffff
		ffffffffffffffff00430104fde800b4 0101017a260206010400010001020280 000202020002024200020641040000fd
		e8020840060064000 10100`,
	},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dissect parses a packet, and returns its segment and its ends.
func dissect(t testing.TB, packet []byte) (seg Segment, src, dst netip.AddrPort) {
	t.Helper()
	var from, to netip.Addr
	var rest []byte
	var err error
	if packet[0]>>4 == 4 {
		var ip header.IPv4
		rest, err = ip.Parse(packet)
		from, to = ip.Src, ip.Dst
	} else {
		var ip header.IPv6
		rest, err = ip.Parse(packet)
		from, to = ip.Src, ip.Dst
	}
	if err != nil {
		t.Fatal(err)
	}
	var h header.TCP
	payload, err := h.Parse(rest)
	if err != nil {
		t.Fatal(err)
	}
	seg = Segment{
		Seq: h.Seq, Ack: h.Ack, Flags: h.Flags, Options: h.Options, Payload: payload,
		Header: rest[:len(rest)-len(payload)],
	}
	return seg, netip.AddrPortFrom(from, h.SrcPort), netip.AddrPortFrom(to, h.DstPort)
}

// vectorKey is the key of one end: the client sends with 61, the server with 84.
func vectorKey(a socket.TCPAlgorithm, exclude, client bool, peer netip.Addr) socket.TCPAOKey {
	k := socket.TCPAOKey{
		Peer: netip.PrefixFrom(peer, peer.BitLen()), SendID: 84, RecvID: 61,
		Secret: []byte("testvector"), Algorithm: a, ExcludeOptions: exclude,
	}
	if client {
		k.SendID, k.RecvID = k.RecvID, k.SendID
	}
	return k
}

// authFor is the authentication of one end of a connection with one key.
func authFor(t testing.TB, k socket.TCPAOKey, local, remote netip.AddrPort, iss, irs uint32) *codes {
	t.Helper()
	r := new(Keyring)
	if err := r.addAO(k); err != nil {
		t.Fatal(err)
	}
	r.current, r.rnext = r.ao[0], r.ao[0]
	a := newCodes(r, local, remote)
	a.setISS(seqnum.Value(iss))
	a.setIRS(seqnum.Value(irs))
	return a
}

func TestCodesOfTCPAO(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			seg, src, dst := dissect(t, unhex(t, v.packet))
			fromClient := dst.Port() == 179
			iss, irs := v.server, v.client
			if !fromClient {
				iss, irs = irs, iss
			}
			a := authFor(t, vectorKey(v.algorithm, v.exclude, !fromClient, src.Addr()), dst, src, iss, irs)
			if v.trafficKey != "" {
				from, to := seqnum.Value(irs), seqnum.Value(iss)
				if seg.Flags&header.ACK == 0 {
					to = 0
				}
				if got := a.deriveKey(a.ring.ao[0], src, dst, from, to); !bytes.Equal(got, unhex(t, v.trafficKey)) {
					t.Errorf("traffic key %x, want %s", got, v.trafficKey)
				}
			}
			var c Counters
			if !admits(a, &c, &seg) || c.AOGood.Load() != 1 {
				t.Errorf("the code is not what is computed")
			}
			seg.Auth = nil
			seg.Header[4] ^= 1
			if admits(a, &c, &seg) || c.AOBad.Load() != 1 {
				t.Errorf("a changed segment is admitted")
			}
		})
	}
}

// Our own segments say what those of RFC 9235 say, once their options stand in the
// same order.
func TestSignedIsAdmitted(t *testing.T) {
	for _, exclude := range []bool{false, true} {
		for _, algorithm := range []socket.TCPAlgorithm{tcpauth.HMACSHA1, tcpauth.AES128CMAC} {
			for _, addr := range []string{"192.0.2.1", "2001:db8::1"} {
				one := netip.AddrPortFrom(netip.MustParseAddr(addr), 1000)
				two := netip.AddrPortFrom(one.Addr().Next(), 179)
				a := authFor(t, vectorKey(algorithm, exclude, true, two.Addr()), one, two, 0xfffffff0, 7)
				b := authFor(t, vectorKey(algorithm, exclude, false, one.Addr()), two, one, 7, 0xfffffff0)
				for _, seg := range []Segment{
					{Seq: 0xfffffff0, Flags: header.SYN, Options: header.TCPOptions{MSS: 1460}},
					{Seq: 0xfffffff1, Flags: header.ACK, Payload: []byte("below the wrap")},
					{Seq: 3, Ack: 8, Flags: header.ACK | header.PSH, Payload: []byte("above it"), Options: header.TCPOptions{HasTS: true}},
					{Seq: 0xfffffff1, Flags: header.ACK, Payload: []byte("below the wrap, again")},
				} {
					var c Counters
					wire := signed(a, one, two, &seg)
					if !admits(b, &c, wire) {
						t.Errorf("%s, %s, excluding %v: %v at %d is not admitted", algorithm.Name(), addr, exclude, seg.Flags, seg.Seq)
					}
				}
				if a.sent != 1<<32+3 || b.rcvd != 1<<32+3 {
					t.Errorf("sent up to %#x, received up to %#x", a.sent, b.rcvd)
				}
			}
		}
	}
}

// signed is a segment as its receiver has it.
func signed(a *codes, src, dst netip.AddrPort, seg *Segment) *Segment {
	seg.signedBy(a)
	h := header.TCP{SrcPort: src.Port(), DstPort: dst.Port(), Seq: seg.Seq, Ack: seg.Ack, Flags: seg.Flags, Options: seg.Options}
	head := h.Append(nil)
	seg.Sign(head)
	head[checksumAt] = 0x55 // whatever it is, it is not covered
	var back header.TCP
	if _, err := back.Parse(head); err != nil {
		panic(err)
	}
	return &Segment{Seq: seg.Seq, Ack: seg.Ack, Flags: seg.Flags, Options: back.Options, Payload: seg.Payload, Header: head}
}
