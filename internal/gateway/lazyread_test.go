package gateway

import (
	"io"
	"net"
	"testing"
)

// What is there is read in pieces of the size that was asked for, whether the
// connection has a descriptor or not.
func TestLazyReaderReadsPieces(t *testing.T) {
	const most, all = 1000, 2500
	for name, connect := range map[string]func(t *testing.T) (a, b net.Conn){
		"a descriptor": func(t *testing.T) (a, b net.Conn) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
				t.Fatal(err)
			}
			if b, err = l.Accept(); err != nil {
				t.Fatal(err)
			}
			return a, b
		},
		"none": func(*testing.T) (a, b net.Conn) { return net.Pipe() },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := connect(t)
			defer b.Close()
			go func() {
				_, _ = a.Write(make([]byte, all))
				a.Close()
			}()
			var r lazyReader
			r.init(b, most)
			got := 0
			for {
				buf, n, err := r.read()
				if err == io.EOF {
					break
				}
				if err != nil || n == 0 || n > most {
					t.Fatalf("%d bytes, %v; at most %d", n, err, most)
				}
				buffers.Put(buf)
				got += n
			}
			if got != all {
				t.Errorf("%d bytes of %d", got, all)
			}
		})
	}
}
