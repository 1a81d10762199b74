package examples

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"example.com/berth/lab"
)

// certificates returns TLS for a server of the given name, and for clients that
// trust it. The capture of the network can be decrypted.
func certificates(t *testing.T, n *lab.Network, name string, protocols ...string) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{name},
		NotBefore:    time.Now(), // in a bubble, that is the year 2000
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	server = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   protocols,
		KeyLogWriter: n.KeyLog(),
	}
	return server, &tls.Config{RootCAs: trusted, ServerName: name, NextProtos: protocols}
}
