package icmp

import (
	"net/netip"
	"testing"
	"time"
)

// One redirect comes at once, each further one after twice the wait, and after nine
// it takes silence.
func TestRedirectsToADeafHostEnd(t *testing.T) {
	var l Redirects
	host := netip.MustParseAddr("10.0.0.2")
	var sent []time.Duration
	now := time.Hour
	for ; now < time.Hour+time.Minute; now += time.Millisecond {
		if l.Allow(now, host) {
			sent = append(sent, now-time.Hour)
		}
	}
	if len(sent) != redirectMost || sent[0] != 0 {
		t.Fatalf("%v", sent)
	}
	for i := 1; i < len(sent); i++ {
		if wait, least := sent[i]-sent[i-1], redirectWait<<i; wait <= least || wait > least+2*time.Millisecond {
			t.Errorf("redirect %d comes %v after the one before", i, wait)
		}
	}
	if l.Allow(now+redirectSilence-time.Millisecond, host) {
		t.Error("there was not enough silence")
	}
	if !l.Allow(now+3*redirectSilence, host) {
		t.Error("after silence it gets none")
	}
}

func TestRedirectsRememberABoundedNumberOfHosts(t *testing.T) {
	var l Redirects
	host := netip.MustParseAddr("10.0.0.0")
	for range 3 * maxRedirected {
		if host = host.Next(); !l.Allow(time.Hour, host) {
			t.Fatalf("%v gets none", host)
		}
	}
	if l.Len() != maxRedirected || l.asked.Count() != maxRedirected {
		t.Errorf("%d hosts are remembered", l.Len())
	}
	if l.Allow(time.Hour, host) {
		t.Error("the last one is forgotten")
	}
}
