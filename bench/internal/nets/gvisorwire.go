package nets

import (
	"sync"

	"example.com/berth/bench/internal/emul"
	"example.com/berth/bench/internal/host"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// gvisorLink is what every link of this package for gVisor has in common.
type gvisorLink struct {
	mu   sync.RWMutex // guards disp
	disp stack.NetworkDispatcher

	mtu  uint32
	caps stack.LinkEndpointCapabilities
	gso  stack.SupportedGSO
}

func (e *gvisorLink) dispatcher() stack.NetworkDispatcher {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.disp
}

// Attach implements stack.LinkEndpoint.
func (e *gvisorLink) Attach(d stack.NetworkDispatcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.disp = d
}

// The rest of stack.LinkEndpoint and stack.GSOEndpoint.
func (e *gvisorLink) IsAttached() bool                             { return e.dispatcher() != nil }
func (e *gvisorLink) Wait()                                        {}
func (e *gvisorLink) MTU() uint32                                  { return e.mtu }
func (e *gvisorLink) SetMTU(mtu uint32)                            { e.mtu = mtu }
func (e *gvisorLink) Capabilities() stack.LinkEndpointCapabilities { return e.caps }
func (e *gvisorLink) GSOMaxSize() uint32                           { return 65535 }
func (e *gvisorLink) SupportedGSO() stack.SupportedGSO             { return e.gso }
func (e *gvisorLink) MaxHeaderLength() uint16                      { return 0 }
func (e *gvisorLink) LinkAddress() tcpip.LinkAddress               { return "" }
func (e *gvisorLink) SetLinkAddress(tcpip.LinkAddress)             {}
func (e *gvisorLink) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (e *gvisorLink) AddHeader(*stack.PacketBuffer)                {}
func (e *gvisorLink) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (e *gvisorLink) Close()                                       {}
func (e *gvisorLink) SetOnCloseAction(func())                      {}

// wireOptions describe a wire in memory.
type wireOptions struct {
	mtu         uint32
	gso         stack.SupportedGSO // none, gVisor's own, or whole segments of 64 KiB
	noChecksums bool
	queued      bool        // deliver from a goroutine for each direction, not the sender's
	path        emul.Params // if not perfect, the wire is that path
}

// gvisorWireEnd is one end of a wire. Payloads are shared with the receiver.
type gvisorWireEnd struct {
	gvisorLink
	peer  *gvisorWireEnd
	line  *emul.Line[*stack.PacketBuffer]
	queue chan *stack.PacketBuffer
}

func newGvisorWire(o wireOptions) (a, b *gvisorWireEnd) {
	a, b = &gvisorWireEnd{}, &gvisorWireEnd{}
	a.peer, b.peer = b, a
	for i, e := range []*gvisorWireEnd{a, b} {
		e.mtu, e.gso = o.mtu, o.gso
		if o.noChecksums {
			e.caps = stack.CapabilityRXChecksumOffload | stack.CapabilityTXChecksumOffload
		}
		switch {
		case !o.path.Perfect():
			e.line = emul.New(o.path.Direction(uint64(i+1)), func(batch []*stack.PacketBuffer) {
				for _, p := range batch {
					e.peer.receive(p)
				}
			}, func(p *stack.PacketBuffer) { p.DecRef() })
		case o.queued:
			e.queue = make(chan *stack.PacketBuffer, 4096)
			go func() {
				for p := range e.queue {
					e.peer.receive(p)
				}
			}()
		}
	}
	return a, b
}

func (e *gvisorWireEnd) receive(p *stack.PacketBuffer) {
	if d := e.dispatcher(); d != nil {
		d.DeliverNetworkPacket(header.IPv4ProtocolNumber, p)
	}
	p.DecRef()
}

// WritePackets implements stack.LinkWriter.
func (e *gvisorWireEnd) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	for n, packet := range packets.AsSlice() {
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: packet.ToBuffer()})
		switch {
		case e.line != nil:
			e.line.Send(p, p.Size())
		case e.queue != nil:
			select {
			case e.queue <- p:
			default:
				p.DecRef()
				return n, &tcpip.ErrNoBufferSpace{}
			}
		default:
			e.peer.receive(p)
		}
	}
	return packets.Len(), nil
}

// gvisorWire is two stacks joined by such a wire.
func gvisorWire(w wireOptions, o gvisorOptions) func() (*host.Pair, error) {
	return func() (*host.Pair, error) {
		a, b := newGvisorWire(w)
		p, err := gvisorPair(a, b, o)
		if err == nil && a.line != nil {
			ofStack := p.Counters
			p.Counters = func() host.Metrics {
				return merge(ofStack(), pathCounters(a.line.Stats(), b.line.Stats()))
			}
		}
		return p, err
	}
}

// gvisorPath is two stacks over an emulated path.
func gvisorPath(path emul.Params, o gvisorOptions) func() (*host.Pair, error) {
	return gvisorWire(wireOptions{mtu: 1500, path: path}, o)
}
