package pcapng

import (
	"io"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// Options say what stands at the head of a capture. The zero value is useful.
type Options struct {
	// Application names the program; "berth" if empty.
	Application string
	// Hardware names the machine; may be empty.
	Hardware string
	// Comment is a remark about the whole capture; may be empty.
	Comment string
}

// A Writer writes a capture. Its methods may be called from several goroutines
// at once.
type Writer struct {
	mu         sync.Mutex // guards all below; held while the underlying writer writes
	w          io.Writer
	buf        blocks
	cutter     gso.Cutter
	one        [1]link.Frame // what is being cut
	interfaces []*Interface
	err        error // the first; nothing is written after it
	closed     bool
}

// NewWriter returns a Writer that writes to w, and writes the head. It does not
// take w over: whoever opened w closes it after the Writer.
func NewWriter(w io.Writer, o Options) *Writer {
	if o.Application == "" {
		o.Application = "berth"
	}
	wr := &Writer{w: w}
	wr.lock(func(b *blocks) {
		at := b.begin(blockSection)
		b.u32(0x1a2b3c4d) // tells the byte order
		b.u16(1)          // version 1.0
		b.u16(0)
		b.u32(0xffffffff) // the section's length is not known
		b.u32(0xffffffff)
		b.text(optComment, o.Comment)
		b.text(sectionHardware, o.Hardware)
		b.text(sectionOS, runtime.GOOS)
		b.text(sectionApp, o.Application)
		b.endOptions()
		b.end(at)
	})
	return wr
}

// lock lets f append blocks, and writes them.
func (w *Writer) lock(f func(*blocks)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && !w.closed {
		f(&w.buf)
		w.flush()
	}
}

// flush writes the blocks with one Write. The caller holds the lock.
func (w *Writer) flush() {
	if len(w.buf.b) > 0 && w.err == nil {
		_, w.err = w.w.Write(w.buf.b)
	}
	w.buf.b = w.buf.b[:0]
}

// Name says what hosts with an address are called. Readers show the names in
// place of the address.
func (w *Writer) Name(addr netip.Addr, names ...string) {
	if !addr.IsValid() || len(names) == 0 {
		return
	}
	w.lock(func(b *blocks) {
		const recordIPv4, recordIPv6 = 1, 2
		record := addr.AsSlice()
		kind := uint16(recordIPv6)
		if addr.Is4() {
			kind = recordIPv4
		}
		for _, n := range names {
			if len(record)+len(n) < maxOption {
				record = append(append(record, n...), 0)
			}
		}
		at := b.begin(blockNames)
		b.option(kind, record)
		b.endOptions() // of the records; there are no options
		b.end(at)
	})
}

// KeyLog returns a writer for the secrets of TLS connections in the format of
// NSS, such as crypto/tls writes to Config.KeyLogWriter. A reader decrypts with
// them what stands behind them in the capture. They let anybody do so who has
// the file.
func (w *Writer) KeyLog() io.Writer { return keyLog{w} }

type keyLog struct{ w *Writer }

// Write implements io.Writer.
func (k keyLog) Write(lines []byte) (int, error) {
	k.w.lock(func(b *blocks) {
		const tls = 0x544c534b // "TLSK"
		at := b.begin(blockSecrets)
		b.u32(tls)
		b.u32(uint32(len(lines)))
		from := len(b.b)
		b.b = append(b.b, lines...)
		b.pad(from)
		b.end(at)
	})
	if err := k.w.Err(); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// Err returns the first error of the underlying writer.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close writes the statistics of all interfaces, and returns Err. What is
// recorded after it is lost. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.lock(func(b *blocks) {
		now := time.Now().UnixNano()
		for _, i := range w.interfaces {
			i.statistics(b, now)
		}
		w.closed = true
	})
	return w.Err()
}

// Interface adds an interface to the capture. Snaplen is how many bytes of each
// packet are written; 0 means all. A name in use makes another interface with
// that name.
func (w *Writer) Interface(name string, medium link.Medium, snaplen int) *Interface {
	return w.add(name, link.Info{Medium: medium}, snaplen)
}
