package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The lines are what others read: names and meanings stay.
func TestEvents(t *testing.T) {
	f, _ := flowOf(t, "tcp 203.0.113.5:443")
	ping, _ := flowOf(t, "icmp 2001:db8::1")
	sctp, _ := flowOf(t, "132 203.0.113.5")
	no := Verdict{Name: "a.example", Reason: "no rule allows port 443"}
	yes := Verdict{Allow: true, Rule: "a.example", Name: "a.example"}
	q := &Query{Name: "a.example", Type: "A", Verdict: yes}
	local := epoch.In(time.FixedZone("east", 3600))
	for _, tt := range []struct {
		e    Event
		want string
	}{
		{
			DecisionEvent(local, 1, f, no),
			`{"time":"2026-01-02T03:04:05Z","event":"decision","flow":1,"protocol":"tcp","source":"10.200.0.2:40000","destination":"203.0.113.5:443","name":"a.example","allow":false,"reason":"no rule allows port 443"}`,
		},
		{
			BeginEvent(epoch, 2, f, yes),
			`{"time":"2026-01-02T03:04:05Z","event":"begin","flow":2,"protocol":"tcp","source":"10.200.0.2:40000","destination":"203.0.113.5:443","name":"a.example"}`,
		},
		{
			EndEvent(epoch, 2, f, yes, 10, 0, 1500*time.Millisecond, errors.New("reset")),
			`{"time":"2026-01-02T03:04:05Z","event":"end","flow":2,"protocol":"tcp","source":"10.200.0.2:40000","destination":"203.0.113.5:443","name":"a.example","sent":10,"received":0,"seconds":1.5,"error":"reset"}`,
		},
		{
			DecisionEvent(epoch, 3, ping, Verdict{Allow: true, Rule: "icmp"}),
			`{"time":"2026-01-02T03:04:05Z","event":"decision","flow":3,"protocol":"icmp","source":"10.200.0.2","destination":"2001:db8::1","allow":true,"rule":"icmp"}`,
		},
		{
			BeginEvent(epoch, 4, sctp, Verdict{}),
			`{"time":"2026-01-02T03:04:05Z","event":"begin","flow":4,"protocol":"other","number":132,"source":"10.200.0.2","destination":"203.0.113.5"}`,
		},
		{
			BeginEvent(epoch, 5, Flow{Proto: UDP, Dst: f.Dst}, Verdict{}),
			`{"time":"2026-01-02T03:04:05Z","event":"begin","flow":5,"protocol":"udp","destination":"203.0.113.5:443"}`,
		},
		{
			QuestionEvent(epoch, 6, q),
			`{"time":"2026-01-02T03:04:05Z","event":"question","flow":6,"name":"a.example","allow":true,"rule":"a.example","type":"A"}`,
		},
		{
			AnswerEvent(epoch, 6, q, Answer{Code: "NOERROR", Addrs: []netip.Addr{f.Dst.Addr()}, Removed: []netip.Addr{netip.IPv6Loopback()}, Reason: "x"}),
			`{"time":"2026-01-02T03:04:05Z","event":"answer","flow":6,"name":"a.example","reason":"x","type":"A","code":"NOERROR","addresses":["203.0.113.5"],"removed":["::1"]}`,
		},
	} {
		if got := string(tt.e.Append(nil)); got != tt.want+"\n" {
			t.Errorf("got\n%swant\n%s", got, tt.want)
		}
		var back Event
		if err := json.Unmarshal(tt.e.Append(nil), &back); err != nil || back.Event != tt.e.Event {
			t.Errorf("%v: %+v", err, back)
		}
	}
}

// Each field of an event, and each kind, has a line in the documentation.
func TestEventsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/run-events.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{EventDecision, EventBegin, EventEnd, EventQuestion, EventAnswer}
	for i := range reflect.TypeFor[Event]().NumField() {
		key, _, _ := strings.Cut(reflect.TypeFor[Event]().Field(i).Tag.Get("json"), ",")
		words = append(words, key)
	}
	for _, w := range words {
		if !strings.Contains(string(doc), "| `"+w+"` |") {
			t.Errorf("docs/run-events.md has no line for %q", w)
		}
	}
}

func TestDenials(t *testing.T) {
	var d Denials
	f, _ := flowOf(t, "tcp 203.0.113.5:22")
	tell := func(name, reason string) string {
		line, isNew := d.Flow(f, Verdict{Name: name, Reason: reason})
		return fmt.Sprint(line, " ", isNew)
	}
	for _, tt := range []struct{ name, reason, want string }{
		{"ssh.example.net", "no rule allows port 22", "berth: denied tcp ssh.example.net:22 (no rule allows port 22) true"},
		{"", "no rule allows 203.0.113.5", "berth: denied tcp 203.0.113.5:22 (no rule allows 203.0.113.5) true"},
		{"ssh.example.net", "no rule allows port 22", "berth: denied tcp ssh.example.net:22 (no rule allows port 22) false"},
		{"ssh.example.net", "no rule allows port 22", "berth: denied tcp ssh.example.net:22 (no rule allows port 22) false"},
		{"", "no rule allows 203.0.113.5", "berth: denied tcp 203.0.113.5:22 (no rule allows 203.0.113.5) false"},
		{"x\x1b[31m\n", "", "berth: denied tcp x?[31m?:22 true"},
	} {
		if got := tell(tt.name, tt.reason); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	line, isNew := d.Question(&Query{Name: "b.example", Verdict: Verdict{Reason: "no rule allows b.example"}})
	if line != "berth: denied dns b.example (no rule allows b.example)" || !isNew {
		t.Error(line, isNew)
	}
	if line, _ = d.Question(&Query{Verdict: Verdict{Reason: "x"}}); line != "berth: denied dns (x)" {
		t.Error(line)
	}
	for i := range maxDenials {
		tell(fmt.Sprint("n", i), "")
	}
	const want = `berth: denied tcp ssh.example.net:22 (no rule allows port 22): 2 times more
berth: denied tcp 203.0.113.5:22 (no rule allows 203.0.113.5): once more
berth: denied others: 5 times`
	if got := strings.Join(d.Rest(), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if len(d.again) > maxDenials {
		t.Errorf("%d are told apart", len(d.again))
	}
}
