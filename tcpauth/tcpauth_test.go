package tcpauth_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"example.com/berth/socket"
	"example.com/berth/tcpauth"
)

// message is that of RFC 4493 4, and of the AES test vectors of NIST.
const message = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
	"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"

var vectors = []struct {
	name      string
	algorithm socket.TCPAlgorithm
	key       string
	message   string
	want      string
}{
	{"RFC 4493 4, example 1", tcpauth.AES128CMAC, "2b7e151628aed2a6abf7158809cf4f3c", "", "bb1d6929e95937287fa37d129b756746"},
	{"RFC 4493 4, example 2", tcpauth.AES128CMAC, "2b7e151628aed2a6abf7158809cf4f3c", message[:32], "070a16b46b4d4144f79bdd9dd04a287c"},
	{"RFC 4493 4, example 3", tcpauth.AES128CMAC, "2b7e151628aed2a6abf7158809cf4f3c", message[:80], "dfa66747de9ae63030ca32611497c827"},
	{"RFC 4493 4, example 4", tcpauth.AES128CMAC, "2b7e151628aed2a6abf7158809cf4f3c", message, "51f0bebf7e3b9d92fc49741779363cfe"},
	{"RFC 4615 4, 18 bytes", tcpauth.AES128CMAC, "000102030405060708090a0b0c0d0e0fedcb", "000102030405060708090a0b0c0d0e0f10111213", "84a348a4a45d235babfffc0d2b4da09a"},
	{"RFC 4615 4, 16 bytes", tcpauth.AES128CMAC, "000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f10111213", "980ae87b5f4c9c5214f5b6a8455e4c2d"},
	{"RFC 4615 4, 10 bytes", tcpauth.AES128CMAC, "00010203040506070809", "000102030405060708090a0b0c0d0e0f10111213", "290d9e112edb09ee141fcf64c0b72f3d"},
	{"RFC 2202 3, 1", tcpauth.HMACSHA1, strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b617318655057264e28bc0b6fb378c8ef146be00"},
	{"RFC 2202 3, 6", tcpauth.HMACSHA1, strings.Repeat("aa", 80), hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")), "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
	{"RFC 1321 A.5", tcpauth.MD5, hex.EncodeToString([]byte("digest")), hex.EncodeToString([]byte("message ")), "f96b697d7cb7938d525a2f31aaf161d0"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A code is the same however the message is cut, and however often it is computed.
func TestCodes(t *testing.T) {
	for _, v := range vectors {
		m, msg := v.algorithm.New(unhex(t, v.key)), unhex(t, v.message)
		for cut := range len(msg) + 1 {
			got := m.Sum([]byte("x"), [][]byte{msg[:cut], nil, msg[cut:]})
			if hex.EncodeToString(got[1:]) != v.want || got[0] != 'x' {
				t.Fatalf("%s, cut at %d: %x, want %s", v.name, cut, got[1:], v.want)
			}
			if len(got)-1 != v.algorithm.Size() {
				t.Errorf("%s: %d bytes, Size says %d", v.name, len(got)-1, v.algorithm.Size())
			}
		}
	}
}

func TestNamesAreThoseOfLinux(t *testing.T) {
	for a, want := range map[socket.TCPAlgorithm]string{
		tcpauth.MD5: "md5", tcpauth.HMACSHA1: "hmac(sha1)", tcpauth.AES128CMAC: "cmac(aes128)",
	} {
		if a.Name() != want {
			t.Errorf("%s, want %s", a.Name(), want)
		}
	}
}

// A key is copied: who gave it may use its memory for something else.
func TestKeysAreCopied(t *testing.T) {
	for _, v := range vectors {
		key := unhex(t, v.key)
		m := v.algorithm.New(key)
		clear(key)
		if got := m.Sum(nil, [][]byte{unhex(t, v.message)}); hex.EncodeToString(got) != v.want {
			t.Errorf("%s: %x once the key's memory was cleared", v.name, got)
		}
	}
}

func TestCodesCostNoMemory(t *testing.T) {
	for _, a := range []socket.TCPAlgorithm{tcpauth.MD5, tcpauth.HMACSHA1, tcpauth.AES128CMAC} {
		m, pieces, code := a.New([]byte("secret")), [][]byte{make([]byte, 44), make([]byte, 52), make([]byte, 1400)}, make([]byte, 0, 32)
		m.Sum(code, pieces)
		if n := testing.AllocsPerRun(100, func() { m.Sum(code, pieces) }); n != 0 {
			t.Errorf("%s: %v allocations", a.Name(), n)
		}
	}
}

func BenchmarkCode(b *testing.B) {
	for _, a := range []socket.TCPAlgorithm{tcpauth.MD5, tcpauth.HMACSHA1, tcpauth.AES128CMAC} {
		b.Run(a.Name(), func(b *testing.B) {
			m, pieces, code := a.New([]byte("secret")), [][]byte{make([]byte, 44), make([]byte, 52), make([]byte, 1400)}, make([]byte, 0, 32)
			b.SetBytes(1400)
			for b.Loop() {
				m.Sum(code, pieces)
			}
		})
	}
}
