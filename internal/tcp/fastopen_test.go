package tcp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

var testCookie = header.FastOpen{Present: true, Len: 8, Cookie: [16]byte{1, 2, 3, 4, 5, 6, 7, 8}}

// connectFast is the active open with data; the SYN is wanted, with so many bytes.
func (tc *conversation) connectFast(option header.FastOpen, mss uint16, n, inSYN int) Segment {
	tc.t.Helper()
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		tc.t.Fatal(err)
	}
	if got := tc.c.FastOpen(option, mss, pattern(0, n)); got != inSYN {
		tc.t.Fatalf("the SYN takes %d of %d bytes, want %d", got, n, inSYN)
	}
	tc.pull()
	syn := tc.want("S 0:" + itoaInt(inSYN) + "(" + itoaInt(inSYN) + ")")
	if !bytes.Equal(syn.Payload, pattern(0, n)[:inSYN]) {
		tc.t.Fatal("other data in the SYN")
	}
	if syn.Options.FastOpen != option {
		tc.t.Fatalf("the SYN has %+v", syn.Options.FastOpen)
	}
	return syn
}

func itoaInt(n int) string { return strings.TrimSpace(string(appendInt(nil, n))) }

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// RFC 7413 4.2.2, the client: with a cookie the SYN takes what fits the peer's MSS,
// 40 bytes left for options.
func TestSYNTakesData(t *testing.T) {
	request := header.FastOpen{Present: true}
	for _, tt := range []struct {
		name     string
		option   header.FastOpen
		mss      uint16
		n, inSYN int
	}{
		{"a little", testCookie, 1460, 100, 100},
		{"nothing", testCookie, 1460, 0, 0},
		{"a lot", testCookie, 1460, 5000, 1420},
		{"to a peer with small segments", testCookie, 536, 5000, 496},
		{"to a peer with large ones", testCookie, 9000, 5000, 1420},
		{"to a peer with tiny ones", testCookie, 30, 5000, 0},
		{"without a cookie", header.FastOpen{}, 0, 100, 100},
		{"with a request", request, 1460, 100, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk(t).connectFast(tt.option, tt.mss, tt.n, tt.inSYN)
		})
	}
}

// What the SYN,ACK acknowledges of the data is done with; what not is sent at once.
func TestAnswerToSYNWithData(t *testing.T) {
	for _, tt := range []struct {
		name, answer, next string
		acked              bool
		failure            uint8
	}{
		{"all", "S. 0:0(0) ack 101 win 1000 " + noOptions, ". 101:101(0) ack 1", true, 0},
		{"all, with data", "S. 0:10(10) ack 101 win 1000 " + noOptions, ". 101:101(0) ack 11", true, 0},
		{"a part", "S. 0:0(0) ack 61 win 1000 " + noOptions, "P. 61:101(40) ack 1", false, 2},
		{"none", "S. 0:0(0) ack 1 win 1000 " + noOptions, "P. 1:101(100) ack 1", false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := talk(t)
			tc.connectFast(testCookie, 0, 100, 100)
			tc.now += 50 * time.Millisecond
			tc.input(tt.answer)
			tc.wantState(socket.TCP_ESTABLISHED)
			tc.want(tt.next)
			tc.wantNothing()
			i := tc.c.Info(tc.now)
			if i.SYNData != tt.acked || i.FastOpenFailure != tt.failure {
				t.Errorf("SYN data %v, failure %d", i.SYNData, i.FastOpenFailure)
			}
			tc.input(". 11:11(0) ack 101 win 1000")
			if _, q := tc.c.Queues(); q != 0 {
				t.Errorf("%d bytes wait for an acknowledgment", q)
			}
			if got := tc.c.Info(tc.now).BytesAcked; got != 101 {
				t.Errorf("%d bytes are acknowledged", got)
			}
		})
	}
}

// An acknowledgment of more than the SYN had is none of this connection's.
func TestAnswerAcknowledgesTooMuch(t *testing.T) {
	tc := talk(t)
	tc.connectFast(testCookie, 0, 100, 100)
	tc.input("S. 0:0(0) ack 102 win 1000")
	tc.want("R 102:102(0)")
	tc.wantState(socket.TCP_SYN_SENT)
}

// RFC 7413 4.1.3: a SYN that is sent again has neither data nor option, and the
// third time-out in a row is taken for a black hole.
func TestSYNWithDataIsLost(t *testing.T) {
	tc := talk(t)
	tc.connectFast(testCookie, 0, 100, 100)
	for i := range 3 {
		tc.fire()
		if syn := tc.want("S 0:0(0)"); syn.Options.FastOpen.Present {
			t.Error("a SYN that is sent again has a cookie")
		}
		o, ok := tc.c.TakeFastOpenOutcome()
		if want := i == 2; ok != want || o.BlackHole != want {
			t.Errorf("after %d time-outs the outcome is %+v, %v", i+1, o, ok)
		}
	}
	tc.input("S. 0:0(0) ack 1 win 1000 " + noOptions)
	tc.want("P. 1:101(100) ack 1")
	if i := tc.c.Info(tc.now); i.SYNData || i.FastOpenFailure != 3 {
		t.Errorf("SYN data %v, failure %d", i.SYNData, i.FastOpenFailure)
	}
}

// What the SYN,ACK says about cookies is there once for the host.
func TestClientLearnsTheCookie(t *testing.T) {
	request := header.FastOpen{Present: true}
	for _, tt := range []struct {
		asked, got header.FastOpen
		data       int
		want       FastOpenOutcome
	}{
		{request, testCookie, 0, FastOpenOutcome{Cookie: testCookie, MSS: 1000, Asked: request}},
		{request, header.FastOpen{}, 0, FastOpenOutcome{MSS: 1000, Asked: request, NoAnswer: true}},
		{testCookie, header.FastOpen{}, 100, FastOpenOutcome{MSS: 1000, Asked: testCookie}},
		{header.FastOpen{}, testCookie, 100, FastOpenOutcome{MSS: 1000}}, // not asked for
	} {
		tc := talk(t)
		tc.connectFast(tt.asked, 0, tt.data, tt.data)
		seg := tc.parse("S. 0:0(0) ack "+itoaInt(tt.data+1)+" win 1000 "+noOptions, true)
		seg.Options.FastOpen = tt.got
		tc.c.Input(tc.now, &seg)
		if o, ok := tc.c.TakeFastOpenOutcome(); !ok || o != tt.want {
			t.Errorf("outcome %+v, want %+v", o, tt.want)
		}
		if _, ok := tc.c.TakeFastOpenOutcome(); ok {
			t.Error("and once more")
		}
	}
}

// TCP_FASTOPEN_CONNECT: the SYN waits for data.
func TestSYNIsHeld(t *testing.T) {
	tc := talk(t)
	if err := tc.c.Connect(tc.now, tc.opening()); err != nil {
		t.Fatal(err)
	}
	tc.c.HoldSYN()
	tc.pull()
	tc.wantNothing()
	tc.wantDeadline(0)
	tc.c.FastOpen(testCookie, 0, pattern(0, 10))
	tc.c.SendSYN()
	tc.pull()
	tc.want("S 0:10(10)")
}

// serveFast is a passive open by a SYN with a good cookie.
func serveFast(t testing.TB, syn string) *conversation {
	tc := talk(t)
	seg := tc.parse(syn, true)
	tc.c = PassiveFast(tc.p, tc.now, tc.opening(), &seg, nil, header.FastOpen{})
	tc.pull()
	return tc
}

// RFC 7413 4.2.2, the server: the data of the SYN is there, and an answer goes out
// before the handshake has ended.
func TestServerTakesDataOfTheSYN(t *testing.T) {
	tc := serveFast(t, "S 0:100(100) win 1000 "+noOptions)
	tc.want("S. 0:0(0) ack 101")
	tc.wantState(socket.TCP_SYN_RECV)
	if e := tc.c.Events(); e&(socket.POLLIN|socket.POLLOUT) != socket.POLLIN|socket.POLLOUT {
		t.Errorf("events %v", e)
	}
	tc.read(100)
	tc.write(200)
	tc.want("P. 1:201(200) ack 101")
	tc.input(". 101:101(0) ack 1 win 1000") // the end of the handshake alone
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.wantNothing()
	tc.input(". 101:101(0) ack 201 win 1000")
	if _, q := tc.c.Queues(); q != 0 {
		t.Errorf("%d bytes wait", q)
	}
	if i := tc.c.Info(tc.now); !i.SYNData || i.BytesReceived != 100 {
		t.Errorf("%+v", i)
	}
}

// The acknowledgment of the data ends the handshake, too.
func TestServersDataIsAcknowledgedWithTheHandshake(t *testing.T) {
	tc := serveFast(t, "S 0:100(100) win 5000 "+noOptions)
	tc.want("S. 0:0(0) ack 101")
	tc.write(2000)
	tc.want(". 1:1001(1000) ack 101")
	tc.want("P. 1001:2001(1000) ack 101")
	tc.input("F. 101:101(0) ack 2001 win 1000")
	tc.want(". 2001:2001(0) ack 102")
	tc.wantState(socket.TCP_CLOSE_WAIT)
	tc.wantDeadline(0)
}

// While the handshake goes on the SYN,ACK is what is sent again, and after it the
// data.
func TestServersDataIsLost(t *testing.T) {
	tc := serveFast(t, "S 0:100(100) win 5000 "+noOptions)
	tc.want("S. 0:0(0) ack 101")
	tc.write(100)
	tc.want("P. 1:101(100) ack 101")
	tc.fire()
	tc.want("S. 0:0(0) ack 101")
	tc.input("S 0:100(100) win 5000 " + noOptions)
	tc.want("S. 0:0(0) ack 101")
	tc.input(". 101:101(0) ack 1 win 5000")
	tc.wantState(socket.TCP_ESTABLISHED)
	tc.fire()
	tc.want("P. 1:101(100) ack 101")
}

func TestServersConnectionIsReset(t *testing.T) {
	tc := serveFast(t, "S 0:100(100) win 5000 "+noOptions)
	tc.want("S. 0:0(0) ack 101")
	tc.input("R 101:101(0)")
	tc.wantState(socket.TCP_CLOSE)
	tc.read(100)
	tc.wantReadError(syscall.ECONNRESET)
}

// A cookie is for an address, and good with either key; with the second one there
// is a new one.
//
// DEF-56.
func TestFastOpenCookies(t *testing.T) {
	keys := FastOpenKeys{{K0: 1, K1: 2}, {K0: 3, K1: 4}}
	old := FastOpenKeys{keys[1]}
	for _, ends := range [][2]netip.Addr{
		{cookieLocal4.Addr(), cookieRemote4.Addr()},
		{cookieLocal6.Addr(), cookieRemote6.Addr()},
	} {
		local, remote := ends[0], ends[1]
		cookie, good := keys.Judge(local, remote, header.FastOpen{Present: true})
		if good || cookie.Len != 8 {
			t.Fatalf("a request: %+v, %v", cookie, good)
		}
		before, _ := old.Judge(local, remote, header.FastOpen{Present: true})
		wrong := cookie
		wrong.Cookie[7]++
		short := cookie
		short.Len = 6
		for _, tt := range []struct {
			name   string
			remote netip.Addr
			got    header.FastOpen
			answer header.FastOpen
			good   bool
		}{
			{"none", remote, header.FastOpen{}, header.FastOpen{}, false},
			{"good", remote, cookie, header.FastOpen{}, true},
			{"of the old key", remote, before, cookie, true},
			{"wrong", remote, wrong, cookie, false},
			{"short", remote, short, cookie, false},
		} {
			answer, good := keys.Judge(local, tt.remote, tt.got)
			if answer != tt.answer || good != tt.good {
				t.Errorf("%s: %+v, %v", tt.name, answer, good)
			}
		}
		if _, good := keys.Judge(local, remote.Next(), cookie); good {
			t.Error("the cookie of somebody else is good")
		}
		exp := header.FastOpen{Present: true, Experimental: true}
		if a, _ := keys.Judge(local, remote, exp); !a.Experimental || a.Cookie != cookie.Cookie {
			t.Errorf("an experimental request gets %+v", a)
		}
	}
}

// A cookie is what Linux makes of the same key: these were its, for TCP_FASTOPEN_KEY
// and for net.ipv4.tcp_fastopen_key=00112233-44556677-8899aabb-ccddeeff.
func TestFastOpenCookieIsThatOfLinux(t *testing.T) {
	local, remote := netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("10.9.1.1")
	for key, want := range map[string]string{
		"000102030405060708090a0b0c0d0e0f": "2fb92242f1cb12ca",
		"3322110077665544bbaa9988ffeeddcc": "cedb132104a49eff",
	} {
		raw, _ := hex.DecodeString(key)
		keys, ok := ParseFastOpenKeys(raw)
		if !ok || !bytes.Equal(keys.Bytes(), raw) {
			t.Fatal("the key does not parse")
		}
		got, _ := keys.Judge(local, remote, header.FastOpen{Present: true})
		if c := hex.EncodeToString(got.Cookie[:got.Len]); c != want {
			t.Errorf("%s, want %s", c, want)
		}
	}
	for _, n := range []int{0, 15, 17, 31, 33} {
		if _, ok := ParseFastOpenKeys(make([]byte, n)); ok {
			t.Errorf("a key of %d bytes parses", n)
		}
	}
}
