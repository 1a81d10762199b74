package hello

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// clientID is the identifier of the examples of RFC 9001 A and RFC 9369 A.
var clientID = []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}

func TestKeysOfTheRFCs(t *testing.T) {
	for _, tt := range []struct {
		version     uint32
		key, iv, hp string
	}{
		{quic1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		{quic2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
	} {
		k := newKeys(tt.version, clientID)
		seal := func(key string) []byte { b, _ := hex.DecodeString(key); return b }
		if got := hex.EncodeToString(k.iv); got != tt.iv {
			t.Errorf("version %x: iv %s", tt.version, got)
		}
		nonce := make([]byte, 12)
		if want := newGCM(seal(tt.key)).Seal(nil, nonce, []byte("x"), nil); !bytes.Equal(k.aead.Seal(nil, nonce, []byte("x"), nil), want) {
			t.Errorf("version %x: another key", tt.version)
		}
		var got, want [16]byte
		k.header.Encrypt(got[:], got[:])
		newAES(seal(tt.hp)).Encrypt(want[:], want[:])
		if got != want {
			t.Errorf("version %x: another key for headers", tt.version)
		}
	}
}

// The whole packet of RFC 9001 A.2, of which the unprotected payload is given.
func TestPacketOfTheRFC(t *testing.T) {
	crypto, _ := hex.DecodeString("060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c" +
		"00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e" +
		"000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304" +
		"000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff" +
		"0801100104800075300901100f088394c8f03e51570806048000ffff")
	payload := append(crypto, make([]byte, 1162-len(crypto))...)
	p := protect(quic1, clientID, clientID, 2, payload)
	if got := hex.EncodeToString(p[:22]); got != "c000000001088394c8f03e5157080000449e7b9aec34" || hex.EncodeToString(p[len(p)-16:]) != "e221af44860018ab0856972e194cd934" {
		t.Errorf("the packet is %s...", got)
	}
	if got := heard(p); got != "QUIC example.com" {
		t.Error(got)
	}
}

// protect makes an Initial packet: keys are those of the first identifier.
func protect(version uint32, first, id []byte, number uint32, payload []byte) []byte {
	k := newKeys(version, first)
	kind := byte(0xc0)
	if version == quic2 {
		kind = 0xd0
	}
	b := binary.BigEndian.AppendUint32([]byte{kind | 3}, version)
	b = append(append(b, byte(len(id))), id...)
	b = append(b, 0, 0)
	length := 4 + len(payload) + 16
	b = append(b, byte(0x40|length>>8), byte(length))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, number)
	nonce := slices.Clone(k.iv)
	for i := range 4 {
		nonce[8+i] ^= b[at+i]
	}
	sealed := k.aead.Seal(nil, nonce, payload, b)
	b = append(b, sealed...)
	var mask [16]byte
	k.header.Encrypt(mask[:], b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// cryptoFrame is a piece of the handshake at its place, and pad fills a packet.
func cryptoFrame(handshake []byte, from, to int) []byte {
	b := binary.BigEndian.AppendUint16([]byte{frameCrypto}, uint16(from)|0x4000)
	b = binary.BigEndian.AppendUint16(b, uint16(to-from)|0x4000)
	return append(b, handshake[from:to]...)
}

func pad(frames ...[]byte) []byte {
	b := slices.Concat(frames...)
	return append(b, make([]byte, max(0, 1100-len(b)))...)
}

// heard tells what datagrams say: "+" for one that waits, "." for one that may
// pass, and what was said.
func heard(datagrams ...[]byte) string {
	var d Datagrams
	var all []string
	for _, b := range datagrams {
		said, wait := d.Feed(b)
		for _, s := range said {
			all = append(all, words(s))
		}
		switch {
		case wait:
			all = append(all, "+")
		case len(said) == 0:
			all = append(all, ".")
		}
	}
	return strings.Join(all, " ")
}

func TestDatagrams(t *testing.T) {
	a, b := helloOf(alpn, sni("a.example"), extension(51, make([]byte, 1200))), helloOf(sni("b.example"))
	other := []byte("other id")
	server := []byte("server's")
	in := func(frames ...[]byte) []byte { return protect(quic1, clientID, clientID, 0, pad(frames...)) }
	next := func(frames ...[]byte) []byte { return protect(quic1, clientID, server, 1, pad(frames...)) }
	in2 := func(frames ...[]byte) []byte { return protect(quic2, clientID, clientID, 0, pad(frames...)) }
	short := append([]byte{0x40}, make([]byte, 40)...)
	zeroRTT := slices.Concat([]byte{0xd0, 0, 0, 0, 1, 8}, clientID, []byte{0, 20}, make([]byte, 20))
	half := len(a) / 2
	var spread [][]byte
	for i := range 6 {
		spread = append(spread, protect(quic1, []byte(fmt.Sprint("id nr. ", i)), []byte(fmt.Sprint("id nr. ", i)), 0, pad(cryptoFrame(a, 0, 10))))
	}
	for _, tt := range []struct {
		name string
		in   [][]byte
		want string
	}{
		{"one packet", [][]byte{in(cryptoFrame(b, 0, len(b)))}, "QUIC b.example"},
		{"version 2", [][]byte{in2(cryptoFrame(b, 0, len(b)))}, "QUIC b.example"},
		{"two datagrams", [][]byte{in(cryptoFrame(a, 0, half)), in(cryptoFrame(a, half, len(a)))}, "+ QUIC a.example"},
		{"in the other order", [][]byte{in(cryptoFrame(a, half, len(a))), in(cryptoFrame(a, 0, half))}, "+ QUIC a.example"},
		{"two packets in one", [][]byte{slices.Concat(in(cryptoFrame(a, 0, half)), in(cryptoFrame(a, half, len(a))))}, "QUIC a.example"},
		{"frames out of order", [][]byte{in(cryptoFrame(b, 50, len(b)), []byte{framePing}, cryptoFrame(b, 0, 20), make([]byte, 9), cryptoFrame(b, 10, 60))}, "QUIC b.example"},
		{"with acknowledgements", [][]byte{in([]byte{frameACK, 5, 0, 1, 0, 0, 0}, []byte{frameACKECN, 5, 0, 0, 0, 1, 2, 3}, cryptoFrame(b, 0, len(b)))}, "QUIC b.example"},
		{"an early packet behind", [][]byte{slices.Concat(in(cryptoFrame(b, 0, len(b))), zeroRTT), zeroRTT}, "QUIC b.example ."},
		{"the same again", [][]byte{in(cryptoFrame(b, 0, len(b))), in(cryptoFrame(b, 0, len(b)))}, "QUIC b.example ."},
		{"later packets", [][]byte{in(cryptoFrame(b, 0, len(b))), next([]byte{frameACK, 0, 0, 0, 0}), short}, "QUIC b.example . ."},
		{"another connection", [][]byte{in(cryptoFrame(b, 0, len(b))), short, protect(quic1, other, other, 0, pad(cryptoFrame(a, 0, half))), short, protect(quic1, other, server, 1, pad(cryptoFrame(a, half, len(a))))}, "QUIC b.example . + + QUIC a.example"},
		{"rubbish before", [][]byte{[]byte("rubbish"), {0xff}, {}, in(cryptoFrame(b, 0, len(b)))}, ". . . QUIC b.example"},
		{"another's keys", [][]byte{protect(quic1, other, clientID, 0, pad(cryptoFrame(b, 0, len(b))))}, "."},
		{"a version to be negotiated", [][]byte{append([]byte{0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8}, clientID...), in(cryptoFrame(b, 0, len(b)))}, ". QUIC b.example"},
		{"a draft", [][]byte{append([]byte{0xc0, 0xff, 0, 0, 0x1d, 8}, clientID...)}, "QUIC! the version of QUIC is too old to be read"},
		{"Google's", [][]byte{append([]byte{0xc0, 'Q', '0', '5', '0', 8}, clientID...)}, "QUIC! the version of QUIC is too old to be read"},
		{"cut off", [][]byte{in(cryptoFrame(b, 0, len(b)))[:800]}, "."},
		{"a long identifier", [][]byte{append([]byte{0xc0, 0, 0, 0, 1, 21}, make([]byte, 60)...)}, "."},
		{"a retry", [][]byte{append([]byte{0xf0, 0, 0, 0, 1, 0}, make([]byte, 60)...)}, "."},
		{"nothing behind the token", [][]byte{append([]byte{0xc0, 0, 0, 0, 1, 0, 0, 0xff}, make([]byte, 60)...)}, "."},
		{"no sample", [][]byte{{0xc0, 0, 0, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4}}, "."},
		{"two stories", [][]byte{in(cryptoFrame(a, 0, half)), in(cryptoFrame(b, 0, 40))}, "+ QUIC! an Initial packet is malformed"},
		{"a frame that cannot be there", [][]byte{in([]byte{0x08}), short}, "QUIC! an Initial packet is malformed QUIC! an Initial packet is malformed"},
		{"a frame that is cut off", [][]byte{in(make([]byte, 1099), []byte{frameClose})}, "QUIC! an Initial packet is malformed"},
		{"a frame that closes", [][]byte{in([]byte{frameClose, 0, 0, 1, 'x'})}, "+"},
		{"too many ranges", [][]byte{in([]byte{frameACK, 5, 0, 0x7f, 0xff, 0})}, "QUIC! an Initial packet is malformed"},
		{"too far on", [][]byte{in([]byte{frameCrypto, 0x80, 1, 0, 0, 1, 0})}, "QUIC! an Initial packet is malformed"},
		{"an empty frame", [][]byte{in([]byte{frameCrypto, 0, 0}, cryptoFrame(b, 0, len(b)))}, "QUIC b.example"},
		{"no ClientHello", [][]byte{in([]byte{frameCrypto, 0, 1, 2})}, "QUIC! the handshake does not begin with a ClientHello"},
		{"too many at once", spread, "+ + + + QUIC! the flow begins too many connections of QUIC at once QUIC! the flow begins too many connections of QUIC at once"},
	} {
		if got := heard(tt.in...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Keys of connections that were heard are bounded; the oldest go.
func TestManyConnections(t *testing.T) {
	b := helloOf(sni("b.example"))
	var d Datagrams
	for i := range 3 * maxHeard {
		id := []byte(fmt.Sprint("number ", i))
		if said, wait := d.Feed(protect(quic1, id, id, 0, pad(cryptoFrame(b, 0, len(b))))); wait || len(said) != 1 {
			t.Fatalf("%d: %v, %v", i, said, wait)
		}
	}
	if len(d.heard) != maxHeard || len(d.pending) != 0 {
		t.Errorf("%d and %d are remembered", len(d.heard), len(d.pending))
	}
}

// Many small pieces that do not touch are too many.
func TestGaps(t *testing.T) {
	var c crypto
	for i := range maxGaps {
		if !c.add(3*i, []byte{1}) {
			t.Fatal(i)
		}
	}
	if c.add(3*maxGaps, []byte{1}) {
		t.Error("one more is taken")
	}
}

func BenchmarkDatagramsThatAreNoInitial(b *testing.B) {
	var d Datagrams
	short := append([]byte{0x40}, make([]byte, 1200)...)
	b.ReportAllocs()
	for range b.N {
		d.Feed(short)
	}
}

func TestOrdinaryDatagramsCostNothing(t *testing.T) {
	var d Datagrams
	short := append([]byte{0x40}, make([]byte, 1200)...)
	if n := testing.AllocsPerRun(100, func() { d.Feed(short) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDatagrams(f *testing.F) {
	a := helloOf(alpn, sni("a.example"))
	f.Add(protect(quic1, clientID, clientID, 0, pad(cryptoFrame(a, 0, len(a)))), []byte("x"))
	f.Add(protect(quic2, clientID, clientID, 0, pad(cryptoFrame(a, 0, 9))), protect(quic2, clientID, clientID, 0, pad(cryptoFrame(a, 9, len(a)))))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var d Datagrams
		d.Feed(one)
		d.Feed(two)
		if len(d.pending) > maxPending {
			t.Error(len(d.pending))
		}
	})
}

// FuzzFrames reads what is in a packet, without the protection that a fuzzer does
// not get through.
func FuzzFrames(f *testing.F) {
	a := helloOf(alpn, sni("a.example"))
	f.Add(slices.Concat(cryptoFrame(a, 20, len(a)), cryptoFrame(a, 0, 30)))
	f.Add([]byte{frameACK, 5, 0, 1, 0, 0, 0, frameClose, 0, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var c crypto
		c.frames(payload)
		clientHello(c.data())
		if len(c.buf) > MaxHello || len(c.have) > maxGaps+1 {
			t.Error(len(c.buf), len(c.have))
		}
	})
}

// The files are the first datagrams of clients of golang.org/x/net/quic and of
// quic-go, a line each, on loopback. Their ClientHellos fill two.
func TestClientsOfQUIC(t *testing.T) {
	for _, name := range []string{"quic-xnet", "quic1-quicgo", "quic2-quicgo"} {
		text, err := os.ReadFile("testdata/" + name + ".hex")
		if err != nil {
			t.Fatal(err)
		}
		var datagrams [][]byte
		for _, line := range strings.Fields(string(text)) {
			b, err := hex.DecodeString(line)
			if err != nil {
				t.Fatal(err)
			}
			datagrams = append(datagrams, b)
		}
		if got := heard(datagrams...); got != "+ QUIC a.example" {
			t.Errorf("%s: %s", name, got)
		}
		slices.Reverse(datagrams)
		if got := heard(datagrams...); got != "+ QUIC a.example" {
			t.Errorf("%s, in the other order: %s", name, got)
		}
	}
}
