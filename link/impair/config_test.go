package impair_test

import (
	"math"
	"testing"
	"time"

	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		cfg  impair.Config
		want string
	}{
		{impair.Config{}, ""},
		{impair.Config{Loss: 1, Corrupt: 1, Duplicate: 1, Reorder: 1, Delay: time.Hour, Jitter: time.Hour}, ""},
		{impair.Config{Burst: impair.Bursts(0.01, 3)}, ""},
		{impair.Config{Loss: 1.5}, "impair: Loss is 1.5: a probability is from 0 to 1"},
		{impair.Config{Loss: -0.1}, "impair: Loss is -0.1: a probability is from 0 to 1"},
		{impair.Config{Loss: math.NaN()}, "impair: Loss is NaN: a probability is from 0 to 1"},
		{impair.Config{Burst: impair.Bursts(0.6, 1)}, "impair: Burst.ToBad is 1.4999999999999998: a probability is from 0 to 1"},
		{impair.Config{Burst: impair.GilbertElliott{ToGood: 2}}, "impair: Burst.ToGood is 2: a probability is from 0 to 1"},
		{impair.Config{Burst: impair.GilbertElliott{LossGood: 2}}, "impair: Burst.LossGood is 2: a probability is from 0 to 1"},
		{impair.Config{Burst: impair.GilbertElliott{LossBad: 2}}, "impair: Burst.LossBad is 2: a probability is from 0 to 1"},
		{impair.Config{Corrupt: 2}, "impair: Corrupt is 2: a probability is from 0 to 1"},
		{impair.Config{Duplicate: 2}, "impair: Duplicate is 2: a probability is from 0 to 1"},
		{impair.Config{Reorder: 2}, "impair: Reorder is 2: a probability is from 0 to 1"},
		{impair.Config{Rate: -1}, "impair: Rate is -1: it cannot be negative"},
		{impair.Config{Queue: -1}, "impair: Queue is -1: it cannot be negative"},
		{impair.Config{ReorderGap: -1}, "impair: ReorderGap is -1: it cannot be negative"},
		{impair.Config{ReorderHold: -1}, "impair: ReorderHold is -1ns: it cannot be negative"},
		{impair.Config{Delay: -time.Second}, "impair: Delay is -1s: it cannot be negative"},
		{impair.Config{Jitter: -1}, "impair: Jitter is -1ns: it cannot be negative"},
		{impair.Config{AQM: impair.AQM{Target: -1}}, "impair: AQM.Target is -1ns: it cannot be negative"},
		{impair.Config{AQM: impair.AQM{Interval: -1}}, "impair: AQM.Interval is -1ns: it cannot be negative"},
		{impair.Config{AQM: impair.AQM{MarkAt: -1}}, "impair: AQM.MarkAt is -1: it cannot be negative"},
		{impair.Config{AQM: impair.AQM{MarkAfter: -1}}, "impair: AQM.MarkAfter is -1ns: it cannot be negative"},
		{impair.Config{AQM: impair.AQM{CoDel: true, ECN: true}}, ""},
		{impair.Config{AQM: impair.AQM{ECN: true}}, "impair: AQM.ECN is set without AQM.CoDel: nothing would be marked"},
		{impair.Config{Trace: parse(t, "1")}, ""},
		{impair.Config{Trace: parse(t, "1"), Rate: 1}, "impair: Rate and Trace are both set: a link has one of them"},
		{impair.Config{Trace: new(impair.Trace)}, "impair: Trace is empty: ParseTrace makes one"},
	} {
		got := ""
		if err := tt.cfg.Validate(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Validate of %+v = %q, want %q", tt.cfg, got, tt.want)
		}
	}
}

func TestAConfigThatCannotBe(t *testing.T) {
	a, b := wire.Pair()
	d := impair.New(a, impair.Config{Loss: 2})
	if err := d.Attach(new(collector)); err == nil || err.Error() != "impair: Loss is 2: a probability is from 0 to 1" {
		t.Errorf("Attach = %v", err)
	}
	for _, set := range []func(impair.Config) error{d.SetOutput, d.SetInput} {
		if err := set(impair.Config{Rate: -1}); err == nil {
			t.Error("a negative rate was set")
		}
	}
	in := attach(t, b)
	if n, err := d.Output([]link.Frame{text("passes")}); n != 1 || err != nil {
		t.Errorf("Output = %d, %v", n, err)
	}
	in.want(t, "0s passes")
}

func TestCauses(t *testing.T) {
	for c, want := range map[impair.Cause]string{
		impair.ByRule: "dropped by a rule", impair.QueueFull: "dropped: queue full", impair.Lost: "lost",
		impair.QueueAQM: "dropped: AQM", impair.Marked: "marked CE",
		impair.LostBurst: "lost in a burst", impair.Overflow: "dropped: too much on the way",
		impair.Changed: "changed by a rule", impair.Held: "delayed by a rule", impair.Corrupted: "corrupted",
		impair.Duplicated: "duplicated", impair.Reordered: "reordered", 99: "Cause(?)",
	} {
		if c.String() != want {
			t.Errorf("%d is %q, want %q", c, c, want)
		}
		if c.Dropped() != (c <= impair.Overflow) {
			t.Errorf("%v: Dropped is %v", c, c.Dropped())
		}
	}
}
