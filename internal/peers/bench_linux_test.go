package peers

import (
	"net"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/link/tuntap"
	"example.com/berth/netconn"
)

// BenchmarkTUN measures a bulk transfer over TCP between a berth host and the
// kernel of the machine, in each direction, with the virtio header (large
// segments, checksums left out) and without.
//
//	go test -run '^$' -bench TUN -benchtime 3s ./internal/peers
func BenchmarkTUN(b *testing.B) {
	for _, header := range []struct {
		name string
		opts []tuntap.Option
	}{
		{"virtio", nil},
		{"plain", []tuntap.Option{tuntap.NoOffload()}},
	} {
		for _, f := range families {
			b.Run(header.name+"/"+f.name+"/out", func(b *testing.B) {
				kernel, onBerth := bulkPair(b, f, header.opts)
				transfer(b, onBerth, kernel)
			})
			b.Run(header.name+"/"+f.name+"/in", func(b *testing.B) {
				kernel, onBerth := bulkPair(b, f, header.opts)
				transfer(b, kernel, onBerth)
			})
		}
	}
}

// bulkPair returns the ends of a connection over a new TUN.
func bulkPair(b *testing.B, f family, opts []tuntap.Option) (kernel, onBerth net.Conn) {
	b.Helper()
	ns := testnet.New(b)
	h := berth.NewHost(berth.Config{})
	if _, err := h.Attach(ns.TUN(append(opts, tuntap.HostAddr(f.onKernel()))...), f.onBerth()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.Close() })
	var ln net.Listener
	var err error
	ns.Do(func() { ln, err = net.Listen("tcp", netip.AddrPortFrom(f.kernel, 0).String()) })
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	if onBerth, err = netconn.Dial(h, "tcp", ln.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if kernel, err = ln.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { kernel.Close(); onBerth.Close() })
	return kernel, onBerth
}

// transfer writes 1 MiB for each iteration, and waits until all has been read.
func transfer(b *testing.B, from, to net.Conn) {
	const size = 1 << 20
	data := make([]byte, size)
	b.SetBytes(size)
	b.ReportAllocs()
	read := make(chan error, 1)
	b.ResetTimer()
	go func() {
		buf := make([]byte, 256<<10)
		for left := size * b.N; left > 0; {
			n, err := to.Read(buf)
			if err != nil {
				read <- err
				return
			}
			left -= n
		}
		read <- nil
	}()
	for range b.N {
		if _, err := from.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-read; err != nil {
		b.Fatal(err)
	}
}
