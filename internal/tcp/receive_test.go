package tcp

import (
	"fmt"
	"testing"
	"time"
)

// RFC 2018 4: the first block is the one that the last segment belongs to.
func TestSACKBlocks(t *testing.T) {
	tc := established(t, sackOnly)
	for _, tt := range []struct{ in, want string }{
		{"P. 101:201(100) ack 1", ". 1:1(0) ack 1 <sack 101:201>"},
		{"P. 301:401(100) ack 1", ". 1:1(0) ack 1 <sack 301:401 101:201>"},
		{"P. 501:601(100) ack 1", ". 1:1(0) ack 1 <sack 501:601 301:401 101:201>"},
		{"P. 701:801(100) ack 1", ". 1:1(0) ack 1 <sack 701:801 501:601 301:401 101:201>"},
		{"P. 901:1001(100) ack 1", ". 1:1(0) ack 1 <sack 901:1001 701:801 501:601 301:401>"},
		{"P. 201:301(100) ack 1", ". 1:1(0) ack 1 <sack 101:401 901:1001 701:801 501:601>"},
		{"P. 1001:1101(100) ack 1", ". 1:1(0) ack 1 <sack 901:1101 101:401 701:801 501:601>"},
		{"P. 651:701(50) ack 1", ". 1:1(0) ack 1 <sack 651:801 901:1101 101:401 501:601>"},
		{"P. 1:101(100) ack 1", ". 1:1(0) ack 401 <sack 651:801 901:1101 501:601>"},
		{"P. 401:501(100) ack 1", ". 1:1(0) ack 601 <sack 651:801 901:1101>"},
		{"P. 601:951(350) ack 1", ". 1:1(0) ack 1101 <sack 651:801>"}, // DSACK of the first duplicate
		{"P. 1101:1201(100) ack 1", ". 1:1(0) ack 1201 <nosack>"},
	} {
		tc.input(tt.in + " win 50000")
		tc.want(tt.want)
		tc.wantNothing()
	}
	tc.read(1200)
}

func TestSACKBlocksFitBesideTimestamps(t *testing.T) {
	tc := established(t, allOptions)
	for _, seq := range []int{101, 301, 501, 701} {
		tc.input(fmt.Sprintf("P. %d:%d(100) ack 1 win 500 <TS val 101 ecr 3601000>", seq, seq+100))
	}
	s := tc.skip()
	if o := s[len(s)-1].Options; o.Len() > 40 || o.SACKCount < 3 {
		t.Errorf("%d bytes of options, %d blocks", o.Len(), o.SACKCount)
	}
	// They go along with data, which leaves them room.
	tc.write(5000)
	for _, s := range tc.skip() {
		if n := s.Options.Len() + len(s.Payload); n > 1460 {
			t.Errorf("%d bytes of options and data", n)
		}
		if s.Options.SACKCount == 0 {
			t.Error("data without SACK")
		}
	}
}

func TestNoSACKWithoutAgreement(t *testing.T) {
	tc := established(t, noOptions)
	tc.input("P. 101:201(100) ack 1 win 50000")
	tc.want(". 1:1(0) ack 1 <nosack>")
	// Each of several segments gets its own acknowledgment: the peer counts.
	tc.inputs("P. 201:301(100) ack 1 win 50000", "P. 301:401(100) ack 1 win 50000", "P. 401:501(100) ack 1 win 50000")
	for range 3 {
		tc.want(". 1:1(0) ack 1")
	}
	tc.wantNothing()
}

// RFC 2883.
func TestDSACK(t *testing.T) {
	begin := func(t *testing.T) *conversation {
		tc := established(t, sackOnly)
		tc.input("P. 1:101(100) ack 1 win 50000")
		tc.want(". 1:1(0) ack 101")
		return tc
	}
	for _, tt := range []struct {
		name string
		in   []string
		want string
	}{
		{"a duplicate", []string{"P. 1:101(100) ack 1"}, ". 1:1(0) ack 101 <sack 1:101>"},
		{"part of one", []string{"P. 51:151(100) ack 1"}, ". 1:1(0) ack 151 <sack 51:101>"},
		{"out of order twice", []string{"P. 201:301(100) ack 1", "P. 201:301(100) ack 1"}, ". 1:1(0) ack 101 <sack 201:301 201:301>"},
		{"part of one out of order", []string{"P. 201:301(100) ack 1", "P. 251:401(150) ack 1"}, ". 1:1(0) ack 101 <sack 251:301 201:401>"},
		{"before one out of order", []string{"P. 201:301(100) ack 1", "P. 151:251(100) ack 1"}, ". 1:1(0) ack 101 <sack 201:251 151:301>"},
		{"around one", []string{"P. 201:301(100) ack 1", "P. 151:401(250) ack 1"}, ". 1:1(0) ack 101 <sack 201:301 151:401>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := begin(t)
			for _, in := range tt.in {
				tc.skip()
				tc.input(in + " win 50000")
			}
			tc.want(tt.want)
			if tc.count().DSACKsSent.Load() != 1 {
				t.Error("not counted")
			}
			tc.input("P. 101:201(100) ack 1 win 50000") // it is reported once
			if s := tc.skip(); len(s) > 0 && s[0].Options.SACKCount > 1 {
				t.Error(tc.format(&s[0]))
			}
		})
	}
}

// RFC 9293 3.8.6.3: SHLD-18, SHLD-19, MUST-40.
func TestDelayedAcks_MUST40(t *testing.T) {
	begin := func(t *testing.T) *conversation {
		tc := established(t, noOptions)
		tc.c.delack.quick = 0
		return tc
	}
	tc := begin(t)
	tc.input("P. 1:501(500) ack 1 win 50000")
	tc.wantNothing()
	tc.wantDeadline(40 * time.Millisecond)
	tc.fire()
	tc.want(". 1:1(0) ack 501")
	tc.input("P. 501:1001(500) ack 1 win 50000")
	if d := tc.c.Deadline() - tc.now; d > 200*time.Millisecond {
		t.Errorf("an acknowledgment waits for %v", d)
	}
	tc.input("P. 1001:1501(500) ack 1 win 50000")
	tc.want(". 1:1(0) ack 1501") // SHLD-19
	tc.wantDeadline(0)

	t.Run("on data", func(t *testing.T) {
		tc := begin(t)
		tc.input("P. 1:501(500) ack 1 win 50000")
		tc.write(10)
		tc.want("P. 1:11(10) ack 501")
		tc.advance(100 * time.Millisecond)
		tc.wantNothing()
	})
	t.Run("several at once (MUST-58)", func(t *testing.T) {
		tc := begin(t)
		var in []string
		for i := range 20 {
			in = append(in, fmt.Sprintf("P. %d:%d(1000) ack 1 win 50000", 1+i*1000, 1001+i*1000))
		}
		tc.inputs(in...)
		tc.want(". 1:1(0) ack 20001")
		tc.wantNothing()
	})
	t.Run("at once at the beginning", func(t *testing.T) {
		tc := established(t, noOptions)
		for i := range quickAcks {
			tc.input(fmt.Sprintf("P. %d:%d(10) ack 1 win 50000", 1+i*10, 11+i*10))
			tc.want(fmt.Sprintf(". 1:1(0) ack %d", 11+i*10))
		}
		tc.input("P. 161:171(10) ack 1 win 50000")
		tc.wantNothing()
	})
	t.Run("not in a dialogue", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.want(". 1:1(0) ack 11")
		tc.write(10)
		tc.want("P. 1:11(10) ack 11")
		tc.input("P. 11:21(10) ack 11 win 50000")
		tc.wantNothing()
		tc.write(10)
		tc.want("P. 11:21(10) ack 21")
	})
	t.Run("at once after a pause", func(t *testing.T) {
		tc := begin(t)
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.advance(5 * time.Second)
		tc.want(". 1:1(0) ack 11")
		tc.input("P. 11:21(10) ack 1 win 50000")
		tc.want(". 1:1(0) ack 21")
	})
	t.Run("TCP_QUICKACK", func(t *testing.T) {
		tc := established(t, noOptions)
		tc.c.SetQuickAck(false)
		if tc.c.QuickAck() {
			t.Error("still on")
		}
		tc.input("P. 1:11(10) ack 1 win 50000")
		tc.c.SetQuickAck(true)
		tc.pull()
		tc.wantNothing() // reading may open the window
		tc.c.SetQuickAck(false)
		tc.read(10)
		tc.wantNothing()
		tc.c.SetQuickAck(true)
		tc.pull()
		tc.want(". 1:1(0) ack 11")
	})
	t.Run("a gap is reported and its end, too (RFC 5681 4.2)", func(t *testing.T) {
		tc := begin(t)
		tc.input("P. 11:21(10) ack 1 win 50000")
		tc.want(". 1:1(0) ack 1")
		tc.input("P. 1:6(5) ack 1 win 50000")
		tc.want(". 1:1(0) ack 6")
		tc.c.delack.quick = 0
		tc.input("P. 6:11(5) ack 1 win 50000")
		tc.want(". 1:1(0) ack 21")
	})
	t.Run("the size of the peer's segments is learned", func(t *testing.T) {
		tc := begin(t)
		tc.input("P. 1:1461(1460) ack 1 win 50000")
		tc.wantNothing()
		tc.input("P. 1461:2921(1460) ack 1 win 50000")
		tc.want(". 1:1(0) ack 2921")
		if i := tc.c.Info(tc.now); i.RcvMSS != 1460 {
			t.Errorf("RcvMSS %d", i.RcvMSS)
		}
	})
	t.Run("left to a reader who waits", func(t *testing.T) {
		tc := begin(t)
		tc.c.Taken(true)
		tc.c.rcv.large = true
		tc.input("P. 1:1461(1460) ack 1 win 50000")
		tc.input("P. 1461:2921(1460) ack 1 win 50000")
		tc.wantNothing()
		tc.wantDeadline(40 * time.Millisecond) // should he not come
		tc.c.Taken(false)
		if n, err := tc.c.Read(tc.now, make([]byte, 100)); n != 100 || err != nil || !tc.c.AckDue() {
			t.Errorf("Read: %d, %v; acknowledgment due: %v", n, err, tc.c.AckDue())
		}
		tc.pull()
		tc.want(". 1:1(0) ack 2921")
		tc.wantDeadline(0)
		tc.read(2820)
		tc.wantNothing()

		tc.c.Taken(true)
		tc.inputs("P. 2921:4381(1460) ack 1 win 50000", "P. 4381:5841(1460) ack 1 win 50000")
		tc.want(". 1:1(0) ack 5841") // they are small
		tc.read(2920)

		tc.c.woken, tc.c.rcv.large = true, true // whom the peer waits for is waited for already
		tc.inputs("P. 5841:7301(1460) ack 1 win 50000", "P. 7301:8761(1460) ack 1 win 50000")
		tc.want(". 1:1(0) ack 8761")
		tc.c.woken, tc.c.rcv.large = false, true
		tc.read(2920)
		tc.set(func(o *Options) { o.RcvLowat = 4000 }) // not woken by this
		tc.inputs("P. 8761:10221(1460) ack 1 win 50000", "P. 10221:11681(1460) ack 1 win 50000")
		tc.want(". 1:1(0) ack 11681")
		tc.c.rcv.large = true
		tc.input("P. 13141:14601(1460) ack 1 win 50000") // a gap does not wait for anybody
		tc.want(". 1:1(0) ack 11681")
	})
	t.Run("the delay follows the rhythm of data", func(t *testing.T) {
		tc := begin(t)
		for i := range 12 {
			tc.input(fmt.Sprintf("P. %d:%d(10) ack 1 win 50000", 1+i*10, 11+i*10))
			tc.advance(150 * time.Millisecond)
		}
		if ato := tc.c.Info(tc.now).ATO; ato < 80*time.Millisecond || ato > 250*time.Millisecond {
			t.Errorf("ATO %v", ato)
		}
	})
}

// What is dropped for lack of room comes again, and then is taken.
func TestReceiveQueueIsBounded(t *testing.T) {
	tc := established(t, allOptions)
	for i := 0; ; i++ {
		next := tc.c.rcv.nxt.Sub(tc.irs)
		n := min(1, tc.c.rcvWnd())
		if n == 0 || i > 1_000_000 {
			break
		}
		tc.input(fmt.Sprintf("P. %d:%d(1) ack 1 win 500", next, next+1))
		tc.skip()
	}
	n, _ := tc.c.Queues()
	if n > tc.c.rcvBuf || tc.c.recvQ.held > 2*tc.c.rcvBuf {
		t.Errorf("%d bytes in %d of memory, buffer %d", n, tc.c.recvQ.held, tc.c.rcvBuf)
	}
}

// Outside a dialogue, whoever has read the end of a message acknowledges it at once.
func TestReadingTheEndOfAMessageAcknowledgesIt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		segment string
		read    int
		want    bool
	}{
		{"a small segment", ". 1:101(100) ack 1 win 50000", 1000, true},
		{"a full one with the push bit", "P. 1:1001(1000) ack 1 win 50000", 1000, true},
		{"a full one", ". 1:1001(1000) ack 1 win 50000", 1000, false},
		{"a part of it", ". 1:101(100) ack 1 win 50000", 50, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tc := established(t, noOptions)
			tc.c.rcv.mss, tc.c.delack.quick = 1000, 0
			tc.input(tt.segment)
			if out := tc.skip(); len(out) > 0 {
				t.Fatalf("%v was sent before anybody read", out)
			}
			if _, err := tc.c.Read(tc.now, make([]byte, tt.read)); err != nil {
				t.Fatal(err)
			}
			tc.pull()
			if out := tc.skip(); (len(out) > 0) != tt.want {
				t.Errorf("%v was sent, want an acknowledgment: %v", out, tt.want)
			}
		})
	}
}
