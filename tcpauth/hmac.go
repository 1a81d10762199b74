package tcpauth

import (
	"crypto/hmac"
	"crypto/sha1"
	"hash"

	"example.com/berth/socket"
)

// HMACSHA1 is HMAC-SHA-1, for codes (RFC 5926 3.2.1) and traffic keys (3.1.1.1).
var HMACSHA1 socket.TCPAlgorithm = hmacSHA1{}

type hmacSHA1 struct{}

func (hmacSHA1) Name() string { return "hmac(sha1)" }
func (hmacSHA1) Size() int    { return sha1.Size }

func (hmacSHA1) New(key []byte) socket.TCPMAC { return hashMAC{hmac.New(sha1.New, key)} }

// hashMAC is a keyed hash of the standard library.
type hashMAC struct{ h hash.Hash }

func (m hashMAC) Sum(dst []byte, message [][]byte) []byte {
	m.h.Reset()
	for _, b := range message {
		m.h.Write(b)
	}
	return m.h.Sum(dst)
}
