package heavy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	chacha "math/rand/v2"
	"net"
	"testing"
	"time"
)

// content is n bytes that look random and are the same each time.
func content(n int) io.Reader {
	return io.LimitReader(chacha.NewChaCha8([32]byte{'b', 'e', 'r', 't', 'h'}), int64(n))
}

// expect reads r to its end, which must be content(n).
func expect(r io.Reader, n int) error {
	want, got := sha256.New(), sha256.New()
	if _, err := io.Copy(want, content(n)); err != nil {
		return err
	}
	k, err := io.Copy(got, r)
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", k, n, err)
	}
	if k != int64(n) || string(got.Sum(nil)) != string(want.Sum(nil)) {
		return fmt.Errorf("%d of %d bytes came, or others", k, n)
	}
	return nil
}

// echo sends content(n) to a peer that sends it back, and wants it whole. The
// peer sees the end when finish has been called.
func echo(conn io.ReadWriter, n int, finish func() error) error {
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(conn, content(n))
		if err == nil {
			err = finish()
		}
		sent <- err
	}()
	if err := expect(conn, n); err != nil {
		return err
	}
	return <-sent
}

// certificates are the configurations of a TLS server and of a client that
// trusts it, for the protocols to agree on.
func (n *network) certificates(t *testing.T, protocols ...string) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{n.addr.AsSlice()},
		IsCA:        true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	check(t, err)
	parsed, err := x509.ParseCertificate(der)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols},
		&tls.Config{RootCAs: pool, ServerName: n.addr.String(), NextProtos: protocols}
}
