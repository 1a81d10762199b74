package machine

import (
	"errors"
	"net/netip"
	"runtime"
	"testing"

	"github.com/spf13/pflag"
)

func parse(t *testing.T, args ...string) *Flags {
	t.Helper()
	var f Flags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.Add(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &f
}

func TestPlan(t *testing.T) {
	f := parse(t, "--tun", "bt0", "--addr", "10.0.0.2/24", "--addr", "fd00::2/64", "--gateway", "10.0.0.1",
		"--gateway", "fd00::1", "--dns", "10.0.0.3", "--dns", "fd00::3", "--dns", "[fd00::4]:5353", "--mtu", "1400")
	p, err := f.check()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.gateways) != 2 || p.gateways[1] != netip.MustParseAddr("fd00::1") {
		t.Errorf("gateways %v", p.gateways)
	}
	want := []string{"10.0.0.3:53", "[fd00::3]:53", "[fd00::4]:5353"}
	for i, w := range want {
		if i >= len(p.dns) || p.dns[i].String() != w {
			t.Errorf("name servers %v, want %v", p.dns, want)
			break
		}
	}
}

func TestWithoutTUNItIsTheKernel(t *testing.T) {
	m, err := parse(t).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, tt := range []struct {
		f    Family
		host string
		want string
	}{
		{Family{}, "192.0.2.1", "192.0.2.1"},
		{Family{}, "fe80::1%eth0", "fe80::1%eth0"},
		{Family{}, "::ffff:192.0.2.1", "192.0.2.1"},
		{Family{IPv4: true}, "localhost", "127.0.0.1"},
	} {
		a, err := m.Resolve(t.Context(), tt.f, tt.host)
		if err != nil || a.String() != tt.want {
			t.Errorf("%s is %v, %v, want %s", tt.host, a, err, tt.want)
		}
	}
	if _, err := m.Resolve(t.Context(), Family{}, "host.invalid"); err == nil {
		t.Error("host.invalid has an address")
	}
}

func TestNetworks(t *testing.T) {
	for f, want := range map[Family]string{
		{}: "tcp", {IPv4: true}: "tcp4", {IPv6: true}: "tcp6", {IPv4: true, IPv6: true}: "tcp",
	} {
		if got := f.Network("tcp"); got != want {
			t.Errorf("%+v is %s, want %s", f, got, want)
		}
	}
}

func TestTUNElsewhereThanOnLinux(t *testing.T) {
	if runtime.GOOS == "linux" {
		t.Skip("Linux has TUN")
	}
	if _, err := parse(t, "--tun", "bt0", "--addr", "10.0.0.2/24").Open(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Open gives %v", err)
	}
}
