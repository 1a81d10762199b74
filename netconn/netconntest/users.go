package netconntest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/berth/netconn"
)

// certificate makes a server's certificate, and the pool that trusts it.
func certificate(t *testing.T, h *host) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{h.addr.AsSlice()},
		IsCA:        true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	check(t, err)
	parsed, err := x509.ParseCertificate(der)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func testTLS(t *testing.T, h *host) {
	cert, pool := certificate(t, h)
	c, s := h.pair(t)
	server := tls.Server(s, &tls.Config{Certificates: []tls.Certificate{cert}})
	client := tls.Client(c, &tls.Config{RootCAs: pool, ServerName: h.addr.String()})
	echoed := make(chan error, 1)
	go func() {
		_, err := io.Copy(server, server)
		if err == nil {
			err = server.Close()
		}
		echoed <- err
	}()
	data := make([]byte, 1<<20)
	_, _ = rand.Read(data)
	go func() {
		_, _ = client.Write(data)
		_ = client.CloseWrite()
	}()
	got, err := io.ReadAll(client)
	check(t, err)
	check(t, <-echoed)
	if !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes came back, or others", len(got), len(data))
	}
}

func testHTTP(t *testing.T, h *host) {
	cert, pool := certificate(t, h)
	for _, tt := range []struct {
		name, scheme, proto string
	}{
		{"1.1", "http", "HTTP/1.1"},
		{"1.1 over TLS", "https", "HTTP/1.1"},
		{"2 over TLS", "https", "HTTP/2.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := h.listen(t)
			server := http.Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					_, _ = w.Write(body)
				}),
				TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
				ErrorLog:  log.New(io.Discard, "", 0),
			}
			served := make(chan error, 1)
			go func() {
				if tt.scheme == "https" {
					served <- server.ServeTLS(l, "", "")
				} else {
					served <- server.Serve(l)
				}
			}()
			d := netconn.Dialer{Provider: h.Client}
			transport := &http.Transport{
				DialContext:       d.DialContext,
				TLSClientConfig:   &tls.Config{RootCAs: pool},
				ForceAttemptHTTP2: tt.proto == "HTTP/2.0",
			}
			client := http.Client{Transport: transport}
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					if err := echo(&client, fmt.Sprintf("%s://%s/", tt.scheme, l.Addr()), tt.proto, i<<16); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			transport.CloseIdleConnections()
			check(t, server.Shutdown(context.Background()))
			if err := <-served; err != http.ErrServerClosed {
				t.Errorf("Serve: %v", err)
			}
		})
	}
}

// echo posts size bytes and wants them back.
func echo(client *http.Client, url, proto string, size int) error {
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	r, err := client.Post(url, "text/plain", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.Proto != proto || !bytes.Equal(got, body) {
		return fmt.Errorf("%d of %d bytes, or others, over %s, want %s", len(got), len(body), r.Proto, proto)
	}
	return nil
}
