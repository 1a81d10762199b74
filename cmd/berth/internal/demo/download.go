package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"example.com/berth/internal/ladder"
	"example.com/berth/netconn"
)

// FileSize is how much is downloaded, in bytes.
const FileSize = 3 << 20

// download is the last scene: net/http on both sides, over netconn, over IPv6.
// Held is called while the connection is still there.
func (n *network) download(ctx context.Context, seed uint64, held func()) (note string, err error) {
	l, err := netconn.Listen(n.bob.host, "tcp", net.JoinHostPort(n.bob.v6.String(), "80"))
	if err != nil {
		return "", err
	}
	n.remark(n.bob, "http.Serve(netconn.Listen(bob, [fd00::2]:80))")
	file := content(seed)
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file.bin", time.Time{}, bytes.NewReader(file))
	})}
	go server.Serve(l)
	defer server.Close()

	transport := &http.Transport{DialContext: (&netconn.Dialer{Provider: n.alice.host}).DialContext}
	defer transport.CloseIdleConnections()
	url := fmt.Sprintf("http://[%s]/file.bin", n.bob.v6)
	n.remark(n.alice, "http.Get("+url+")")
	start := n.trace.Now()
	got, err := get(ctx, transport, url)
	if err != nil {
		return "", err
	}
	took := n.trace.Now() - start
	sum, want := sha256.Sum256(got), sha256.Sum256(file)
	n.remark(n.alice, fmt.Sprintf("%s, SHA-256 %x…", size(len(got)), sum[:8]))
	held()
	if sum != want {
		return "", fmt.Errorf("the file came changed: SHA-256 %x, not %x", sum, want)
	}
	rate := float64(len(got)) * 8 / took.Seconds() / 1e6
	return fmt.Sprintf("%s in %.2f s (%.0f Mbit/s), SHA-256 %x… as it should be", size(len(got)), took.Seconds(), rate, sum[:4]), nil
}

// remark records what a program does that is no call of a socket.
func (n *network) remark(p *party, text string) {
	n.trace.Called(n.trace.Now(), ladder.Call{Side: p.side, Text: text})
}

func get(ctx context.Context, t http.RoundTripper, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New("the server said " + resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// content is the file, which differs with the seed.
func content(seed uint64) []byte {
	var key [32]byte
	copy(key[:], fmt.Sprintf("berth demo %d", seed))
	file := make([]byte, FileSize)
	_, _ = rand.NewChaCha8(key).Read(file) // it never fails
	return file
}
