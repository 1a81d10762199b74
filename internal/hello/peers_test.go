package hello

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// sent is what a client writes first on a connection, as a Stream hears it.
func sent(t *testing.T, client func(c net.Conn)) string {
	t.Helper()
	here, there := net.Pipe()
	go func() {
		client(there)
		there.Close()
	}()
	defer here.Close()
	var all []byte
	b := make([]byte, 100)
	for {
		n, err := here.Read(b)
		all = append(all, b[:n]...)
		if err != nil || hear(string(all), 100) != "unknown" && !strings.Contains(hear(string(all), 100), "cut off") {
			return hear(string(all), 100)
		}
	}
}

// What others write is what is read here.
func TestClientsOfTheStandardLibrary(t *testing.T) {
	config := &tls.Config{ServerName: "a.example", NextProtos: []string{"h2", "http/1.1"}}
	if got := sent(t, func(c net.Conn) { _ = tls.Client(c, config).Handshake() }); got != "TLS a.example" {
		t.Error(got)
	}
	old := &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12}
	if got := sent(t, func(c net.Conn) { _ = tls.Client(c, old).Handshake() }); got != "TLS a.example" {
		t.Error(got)
	}
	bare := &tls.Config{InsecureSkipVerify: true}
	if got := sent(t, func(c net.Conn) { _ = tls.Client(c, bare).Handshake() }); got != "TLS" {
		t.Error(got)
	}
	request, err := http.NewRequest("POST", "http://a.example:8080/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", "x=y")
	if got := sent(t, func(c net.Conn) { _ = request.Write(c) }); got != "HTTP a.example" {
		t.Error(got)
	}
	if got := sent(t, func(c net.Conn) { _ = request.WriteProxy(c) }); got != "HTTP a.example" {
		t.Error(got)
	}
	got := sent(t, func(c net.Conn) {
		h2 := http.Transport{Protocols: new(http.Protocols), DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }}
		h2.Protocols.SetUnencryptedHTTP2(true)
		if response, err := h2.RoundTrip(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
	if got != "HTTP/2 a.example" {
		t.Error(got)
	}
}
