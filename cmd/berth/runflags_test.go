package main

import (
	"testing"
	"time"
)

func TestPublishFlag(t *testing.T) {
	for _, tt := range []struct {
		text, network, outside string
		inside                 uint16
	}{
		{"8080:80", "tcp", "127.0.0.1:8080", 80},
		{"0:80", "tcp", "127.0.0.1:0", 80},
		{"5353:53/udp", "udp", "127.0.0.1:5353", 53},
		{"0.0.0.0:8080:80/tcp", "tcp", "0.0.0.0:8080", 80},
		{"[::]:8080:80", "tcp", "[::]:8080", 80},
	} {
		p, err := parsePublish(tt.text)
		if err != nil || p.Network != tt.network || p.Outside != tt.outside || p.Inside != tt.inside {
			t.Errorf("%s: %+v, %v", tt.text, p, err)
		}
	}
	for _, text := range []string{"", "80", "80:", ":80", "80:0", "80:70000", "70000:80", "-1:80", "80:80/sctp", "host:80:80", "80:x"} {
		if p, err := parsePublish(text); err == nil {
			t.Errorf("%q is %+v", text, p)
		}
	}
}

func TestLineFlags(t *testing.T) {
	o := lineOptions{profile: "3G", delay: "50ms", loss: "1%", rate: "10mbit", queue: "64KiB", seed: 7}
	down, up, err := o.read()
	if err != nil {
		t.Fatal(err)
	}
	if down.Delay != 50*time.Millisecond || up.Loss != 0.01 || down.Rate != 10_000_000 || up.Queue != 64<<10 || down.Seed == up.Seed {
		t.Errorf("down %+v, up %+v", down, up)
	}
	if down, up, err = new(lineOptions).read(); err != nil || down.Delay+up.Delay != 0 || down.Rate != 0 {
		t.Errorf("without flags: %+v, %+v, %v", down, up, err)
	}
	for _, o := range []lineOptions{
		{profile: "4711G"},
		{delay: "50"},
		{delay: "-1s"},
		{jitter: "x"},
		{loss: "200%"},
		{rate: "0bit"},
		{rate: "fast"},
		{queue: "0"},
		{queue: "9GiB"},
		{trace: "/no/such/file"},
	} {
		if _, _, err := o.read(); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
