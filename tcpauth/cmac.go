package tcpauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"

	"example.com/berth/socket"
)

// AES128CMAC is AES-128-CMAC (RFC 4493), for codes (RFC 5926 3.2.2) and traffic keys
// (3.1.1.2).
var AES128CMAC socket.TCPAlgorithm = aes128CMAC{}

type aes128CMAC struct{}

func (aes128CMAC) Name() string { return "cmac(aes128)" }
func (aes128CMAC) Size() int    { return aes.BlockSize }

// New takes a key of any length: one that is not 16 bytes long is made one with
// the code of it under a key of zeros (RFC 5926 3.1.1.2, from RFC 4615).
func (aes128CMAC) New(key []byte) socket.TCPMAC {
	if len(key) != aes.BlockSize {
		key = newCMAC(make([]byte, aes.BlockSize)).Sum(nil, [][]byte{key})
	}
	return newCMAC(key)
}

// cmac is the state of RFC 4493 2.4.
type cmac struct {
	cipher cipher.Block
	k1, k2 [aes.BlockSize]byte // the subkeys for a last block that is full, and one that is not
	x      [aes.BlockSize]byte // the code so far, without the last block
	last   [aes.BlockSize]byte // the first n bytes wait until it is known whether more follows
	n      int
}

func newCMAC(key []byte) *cmac {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	m := &cmac{cipher: block}
	block.Encrypt(m.k1[:], m.k1[:])
	double(&m.k1)
	m.k2 = m.k1
	double(&m.k2)
	return m
}

// double multiplies by x in the field of RFC 4493 2.3.
func double(k *[aes.BlockSize]byte) {
	carry := byte(0)
	for i := len(k) - 1; i >= 0; i-- {
		k[i], carry = k[i]<<1|carry, k[i]>>7
	}
	k[len(k)-1] ^= 0x87 & -carry
}

func (m *cmac) Sum(dst []byte, message [][]byte) []byte {
	m.x, m.n = [aes.BlockSize]byte{}, 0
	for _, b := range message {
		m.write(b)
	}
	subkey := &m.k1
	if m.n < len(m.last) {
		m.last[m.n] = 0x80
		clear(m.last[m.n+1:])
		subkey = &m.k2
	}
	subtle.XORBytes(m.last[:], m.last[:], subkey[:])
	m.block()
	return append(dst, m.x[:]...)
}

// write takes in bytes; the last block is kept back.
func (m *cmac) write(b []byte) {
	for len(b) > 0 {
		if m.n == len(m.last) {
			m.block()
			m.n = 0
		}
		n := copy(m.last[m.n:], b)
		m.n += n
		b = b[n:]
	}
}

func (m *cmac) block() {
	subtle.XORBytes(m.x[:], m.x[:], m.last[:])
	m.cipher.Encrypt(m.x[:], m.x[:])
}
