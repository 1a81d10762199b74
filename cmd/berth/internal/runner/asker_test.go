package runner

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/internal/policy"
)

// A person answers questions, or none.
type person struct {
	mu    sync.Mutex
	says  []string
	err   error
	asked int
}

func (p *person) prompt(ctx context.Context, _ string, clear func(string) bool) (string, error) {
	for {
		p.mu.Lock()
		p.asked++
		if p.err != nil {
			p.mu.Unlock()
			return "", p.err
		}
		if len(p.says) == 0 {
			p.mu.Unlock()
			<-ctx.Done()
			return "", ctx.Err()
		}
		line := p.says[0]
		p.says = p.says[1:]
		p.mu.Unlock()
		if clear(line) {
			return line, nil
		}
	}
}

func flowTo(dst string) policy.Flow {
	return policy.Flow{Proto: policy.TCP, Dst: netip.MustParseAddrPort(dst)}
}

func TestAsker(t *testing.T) {
	for _, tt := range []struct {
		name   string
		person *person
		allow  bool
		kept   string
		reason string
	}{
		{"yes", &person{says: []string{"y\n"}}, true, "", ""},
		{"no", &person{says: []string{" NO \n"}}, false, "", "you said no"},
		{"always", &person{says: []string{"a\n"}}, true, "tcp/203.0.113.1:22", ""},
		{"never", &person{says: []string{"v\n"}}, false, "tcp/203.0.113.1:22", "you said no"},
		{"unclear first", &person{says: []string{"\n", "what?\n", "yes\n"}}, true, "", ""},
		{"nobody", &person{}, false, "", "nobody answered within 1m0s"},
		{"Ctrl-D", &person{err: io.EOF}, false, "", "you said no"},
		{"a terminal that is gone", &person{err: errors.New("hung up")}, false, "", "you could not be asked: hung up"},
	} {
		synctest.Test(t, func(t *testing.T) {
			kept := ""
			a := newAsker(time.Minute, tt.person.prompt, func(r *policy.Rule) { kept = r.String() })
			defer a.close()
			rule, reason := a.ask(flowTo("203.0.113.1:22"), policy.Verdict{})
			if (rule != nil) != tt.allow || kept != tt.kept || reason != tt.reason {
				t.Errorf("%s: %v, %q, kept %q", tt.name, rule, reason, kept)
			}
		})
	}
}

// TestAskerAsksOnce: flows to one destination are one question, for a while.
func TestAskerAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &person{says: []string{"y", "y", "n"}}
		a := newAsker(time.Minute, p.prompt, nil)
		defer a.close()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { a.ask(flowTo("203.0.113.1:22"), policy.Verdict{}) })
		}
		all.Wait()
		if p.asked != 1 {
			t.Errorf("asked %d times", p.asked)
		}
		a.ask(flowTo("203.0.113.1:23"), policy.Verdict{})
		time.Sleep(onceLasts)
		if rule, _ := a.ask(flowTo("203.0.113.1:22"), policy.Verdict{}); rule != nil || p.asked != 3 {
			t.Errorf("later: %v, asked %d times", rule, p.asked)
		}
	})
}

// TestAskerAlone: where nobody answers one question, nobody does the others; there
// is an end to what may wait; Ctrl-C is no, and the end of the run is.
func TestAskerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(person)
		a := newAsker(time.Minute, p.prompt, nil)
		reasons := make(chan string, 2*maxInquiries)
		for port := range uint16(maxInquiries + 10) {
			go func() {
				_, reason := a.ask(policy.Flow{Proto: policy.TCP, Dst: netip.AddrPortFrom(netip.IPv6Unspecified(), 1+port)}, policy.Verdict{})
				reasons <- reason
			}()
		}
		synctest.Wait()
		if n := len(reasons); n != 9 { // one is asked, and maxInquiries wait
			t.Errorf("%d were refused at once", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(reasons); n != maxInquiries+10 || p.asked != 1 {
			t.Errorf("%d have an answer, asked %d times", n, p.asked)
		}
		time.Sleep(onceLasts)
		for _, end := range []func(){a.interrupted, a.close} {
			before := len(reasons)
			go func() { _, reason := a.ask(flowTo("203.0.113.1:22"), policy.Verdict{}); reasons <- reason }()
			synctest.Wait()
			end()
			synctest.Wait()
			if len(reasons) != before+1 {
				t.Error("it waits on")
			}
			time.Sleep(onceLasts)
		}
		if _, reason := a.ask(flowTo("203.0.113.1:22"), policy.Verdict{}); reason != "the run is over" {
			t.Errorf("afterwards: %q", reason)
		}
	})
}
