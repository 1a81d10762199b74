package berth_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// fixed is a congestion control of a program's own: a window that never changes.
type fixed struct{ window int }

func (f *fixed) Init(time.Duration, berth.Window) {}
func (f *fixed) SetMSS(int)                       {}
func (f *fixed) OnAck(time.Duration, berth.Ack)   {}
func (f *fixed) OnLoss(time.Duration, int)        {}
func (f *fixed) OnRecovered(time.Duration, int)   {}
func (f *fixed) OnRTO(time.Duration, int, bool)   {}
func (f *fixed) OnECN(time.Duration, int)         {}
func (f *fixed) OnUndo(time.Duration)             {}
func (f *fixed) OnIdle(time.Duration, int)        {}
func (f *fixed) Cwnd() int                        { return f.window }
func (f *fixed) SSThresh() int                    { return berth.NoThreshold }
func (f *fixed) PacingRate() uint64               { return 0 }

func TestCongestionControlOfAProgram(t *testing.T) {
	own := &berth.Algorithm{Name: "fixed", New: func(mss int) berth.CongestionControl { return &fixed{5 * mss} }}
	for _, tt := range []struct {
		name   string
		config berth.TCPConfig
		choose string
		want   string
		err    error
	}{
		{"the host's default", berth.TCPConfig{}, "", "cubic", nil},
		{"another default", berth.TCPConfig{Congestion: "bbr"}, "", "bbr", nil},
		{"one more", berth.TCPConfig{Algorithms: []*berth.Algorithm{own}}, "", "cubic", nil},
		{"one more, chosen", berth.TCPConfig{Algorithms: []*berth.Algorithm{own}}, "fixed", "fixed", nil},
		{"one more, the default", berth.TCPConfig{Algorithms: []*berth.Algorithm{own}, Congestion: "fixed"}, "", "fixed", nil},
		{"one that there is not", berth.TCPConfig{}, "fixed", "cubic", syscall.ENOENT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := berth.NewHost(berth.Config{TCP: tt.config})
			defer h.Close()
			s := newSocket(t, h, socket.INET, socket.STREAM, 0)
			if tt.choose != "" {
				if err := socket.Set(s, socket.TCP_CONGESTION, tt.choose); !errors.Is(err, tt.err) {
					t.Errorf("choosing gives %v, want %v", err, tt.err)
				}
			}
			if got, err := socket.Get(s, socket.TCP_CONGESTION); got != tt.want || err != nil {
				t.Errorf("TCP_CONGESTION is %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if len(berth.Algorithms()) != 4 {
		t.Errorf("there are %d algorithms", len(berth.Algorithms()))
	}
}

func TestUnknownCongestionControlPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewHost takes it")
		}
	}()
	berth.NewHost(berth.Config{TCP: berth.TCPConfig{Congestion: "nonesuch"}})
}

// ECN is used where one end asks for it and the other does not refuse.
func TestECNModes(t *testing.T) {
	for _, tt := range []struct {
		client, server berth.ECN
		want           bool
	}{
		{berth.ECNOn, berth.ECNPassive, true},
		{berth.ECNOn, berth.ECNOn, true},
		{berth.ECNOn, berth.ECNOff, false},
		{berth.ECNPassive, berth.ECNOn, false},
		{berth.ECNOff, berth.ECNOn, false},
		{berth.ECNAccurate, berth.ECNAccuratePassive, true},
		{berth.ECNAccurate, berth.ECNPassive, true},
		{berth.ECNAccurateGranted, berth.ECNPassive, true},
		{berth.ECNAccurateGranted, berth.ECNAccurate, true},
		{berth.ECNAccuratePassive, berth.ECNAccurate, false},
		{berth.ECNAccurate, berth.ECNOff, false},
	} {
		a, b := wire.Pair()
		client := berth.NewHost(berth.Config{TCP: berth.TCPConfig{ECN: tt.client}})
		server := berth.NewHost(berth.Config{TCP: berth.TCPConfig{ECN: tt.server}})
		if _, err := client.Attach(a, alice4.String()+"/24"); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Attach(b, bob4.String()+"/24"); err != nil {
			t.Fatal(err)
		}
		c, _ := connected(t, client, server, bob4)
		info, err := socket.Get(c, socket.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if info.ECN != tt.want {
			t.Errorf("client %v, server %v: ECN is %v, want %v", tt.client, tt.server, info.ECN, tt.want)
		}
		client.Close()
		server.Close()
	}
}
