package wire_test

import (
	"testing"

	"example.com/berth/link"
	"example.com/berth/link/wire"
)

// ethernet returns a frame from and to the stations 02:00:00:00:xx:xx; to 0
// is everybody.
func ethernet(from, to int, payload string) link.Frame {
	h := []byte{
		2, 0, 0, 0, byte(to >> 8), byte(to),
		2, 0, 0, 0, byte(from >> 8), byte(from), 0x88, 0xb5, // an EtherType for experiments
	}
	if to == 0 {
		copy(h, "\xff\xff\xff\xff\xff\xff")
	}
	return link.Frame{Head: h, Payload: []byte(payload)}
}

// A network is a switch or hub with a collector at each port.
type network struct {
	ports []*wire.Device
	at    []*collector
}

func plug(t *testing.T, n int, port func(...wire.Option) *wire.Device) *network {
	w := new(network)
	for range n {
		p := port()
		w.ports = append(w.ports, p)
		w.at = append(w.at, attach(t, p))
	}
	return w
}

func (w *network) send(t *testing.T, port int, frames ...link.Frame) {
	t.Helper()
	if n, err := w.ports[port].Output(frames); n != len(frames) || err != nil {
		t.Errorf("Output = %d, %v", n, err)
	}
}

// want requires how many frames came in at each port since the last call.
func (w *network) want(t *testing.T, counts ...int) {
	t.Helper()
	for i, c := range w.at {
		if len(c.frames) != counts[i] {
			t.Errorf("at port %d came in %d frames, want %d", i, len(c.frames), counts[i])
		}
		c.frames, c.batches = nil, nil
	}
}

func TestSwitchLearns(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 3, s.Port)

	w.send(t, 0, ethernet(1, 2, "who are you")) // not known: to all
	w.want(t, 0, 1, 1)
	w.send(t, 1, ethernet(2, 1, "here")) // learned
	w.want(t, 1, 0, 0)
	w.send(t, 0, ethernet(1, 2, "hello"))
	w.want(t, 0, 1, 0)
	w.send(t, 0, ethernet(1, 0, "everybody"))
	w.want(t, 0, 1, 1)
	w.send(t, 2, ethernet(2, 1, "I have moved"))
	w.want(t, 1, 0, 0)
	w.send(t, 0, ethernet(1, 2, "there"))
	w.want(t, 0, 0, 1)
	w.send(t, 0, ethernet(9, 1, "at my own port"))
	w.want(t, 0, 0, 0)

	want := wire.SwitchStats{Stations: 3, Learned: 3, Moved: 1, Flooded: 2, Local: 1}
	if got := s.Stats(); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

func TestSwitchForwardsRunsAsBatches(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 3, s.Port)
	w.send(t, 1, ethernet(2, 0, ""))
	w.send(t, 2, ethernet(3, 0, ""))
	w.want(t, 2, 1, 1)
	w.send(t, 0,
		ethernet(1, 2, "a"), ethernet(1, 2, "b"), ethernet(1, 3, "c"),
		link.Frame{Payload: []byte("runt")},
		ethernet(1, 2, "d"))
	if got := w.at[1].batches; len(got) != 2 || got[0] != 2 || got[1] != 1 {
		t.Errorf("batches of %v frames, want 2 and 1", got)
	}
	w.want(t, 0, 3, 1)
	if got := s.Stats().Runts; got != 1 {
		t.Errorf("%d runts, want 1", got)
	}
}

func TestSwitchLearnsNoGroup(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 2, s.Port)
	f := ethernet(1, 2, "")
	f.Head[6] = 3
	w.send(t, 0, f)
	if got := s.Stats().Stations; got != 0 {
		t.Errorf("%d stations", got)
	}
}

func TestSwitchTableIsBounded(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 3, s.Port)
	w.send(t, 1, ethernet(0xffff, 0, "the first"))
	for i := 1; i <= 4096; i++ {
		w.send(t, 0, ethernet(i, 0xffff, ""))
	}
	st := s.Stats()
	if st.Stations != 4096 || st.Evicted != 1 {
		t.Errorf("Stats = %+v", st)
	}
	w.want(t, 1, 4096, 1+1) // the last was flooded: the first was forgotten
	w.send(t, 1, ethernet(0xffff, 0, "still here"))
	w.want(t, 1, 0, 1)
	w.send(t, 0, ethernet(5, 0xffff, ""))
	w.want(t, 0, 1, 0)
}

func TestSwitchForgetsAPortThatCloses(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 3, s.Port)
	w.send(t, 0, ethernet(1, 0, ""))
	w.send(t, 1, ethernet(2, 0, ""))
	w.want(t, 1, 1, 2)
	w.ports[1].Close()
	if got := s.Stats().Stations; got != 1 {
		t.Errorf("%d stations, want 1", got)
	}
	w.send(t, 0, ethernet(1, 2, "")) // to all others, which is one
	w.want(t, 0, 0, 1)
	if !w.ports[0].Info().Up {
		t.Error("a port is down since another closed")
	}
}

func TestSwitchPortsHaveTheirOwnQueue(t *testing.T) {
	s := wire.NewSwitch(wire.Queue(10))
	w := plug(t, 1, s.Port)
	narrow := s.Port(wire.Queue(1), wire.Name("narrow"))
	if narrow.Info().Name != "narrow" || narrow.Info().Medium != link.Ethernet {
		t.Errorf("Info = %+v", narrow.Info())
	}
	in := attach(t, narrow)
	in.onInput = func([]link.Frame) {
		in.onInput = nil
		w.send(t, 0, ethernet(1, 0, "2"), ethernet(1, 0, "3"))
	}
	w.send(t, 0, ethernet(1, 0, "1"))
	if st := narrow.Stats(); st.InFrames != 2 || st.QueueFull != 1 {
		t.Errorf("counted %+v", st)
	}
}

func TestAPortGetsNoMoreThanItTakes(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 2, s.Port)
	bare := s.Port(wire.Offload(0))
	in := attach(t, bare)
	in.onInput = func(frames []link.Frame) {
		for i := range frames {
			if err := (&link.Info{Medium: link.Ethernet, MTU: 1500}).Check(&frames[i]); err != nil {
				t.Errorf("came in: %v", err)
			}
		}
	}
	// UDP over IPv4 from 192.0.2.1 to 192.0.2.2, 2000 bytes in datagrams of 1000.
	large := ethernet(1, 0, string(make([]byte, 2000)))
	large.Head = append(large.Head[:12], "\x08\x00\x45\x00\x07\xec\x00\x00\x00\x00\x40\x11\x00\x00"+
		"\xc0\x00\x02\x01\xc0\x00\x02\x02\x00\x01\x00\x02\x07\xd8\x00\x00"...)
	large.GSO, large.SegSize, large.Checksum, large.CsumStart, large.CsumOffset = link.GSOUDP, 1000, link.ChecksumPartial, 34, 6
	bad := large
	bad.GSO = link.GSOTCP4
	w.send(t, 0, large, bad)
	w.want(t, 0, 2)
	if st := bare.Stats(); st.InFrames != 2 || st.Malformed != 1 {
		t.Errorf("counted %+v", st)
	}
}

func TestPortDown(t *testing.T) {
	s := wire.NewSwitch()
	w := plug(t, 2, s.Port)
	w.ports[1].SetUp(false)
	w.send(t, 0, ethernet(1, 0, "lost"))
	w.want(t, 0, 0)
	if w.at[1].changes != 1 || w.at[0].changes != 0 {
		t.Errorf("told %d and %d times", w.at[0].changes, w.at[1].changes)
	}
	w.ports[1].SetUp(true)
	w.send(t, 0, ethernet(1, 0, "heard"))
	w.want(t, 0, 1)
}

func TestHub(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hub    *wire.Hub
		medium link.Medium
	}{
		{"IP", wire.NewHub(), link.IP},
		{"Ethernet", wire.NewHub(wire.Ethernet()), link.Ethernet},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := plug(t, 4, tt.hub.Port)
			if got := w.ports[0].Info().Medium; got != tt.medium {
				t.Errorf("medium %v", got)
			}
			w.send(t, 1, ethernet(1, 2, "a"), ethernet(1, 2, "b"))
			w.want(t, 2, 0, 2, 2)
			w.ports[0].Close()
			w.send(t, 1, ethernet(1, 2, "c"))
			w.want(t, 0, 0, 1, 1)
		})
	}
}
