package main

import (
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
)

// A host on a TUN serves the kernel, and is served by it.
func TestPerfOverATUN(t *testing.T) {
	ns := testnet.New(t)
	testnet.NeedTUN(t)
	dir := t.TempDir()
	tun := []string{"--tun", "bt0", "--host-addr", "10.77.0.1/24", "--addr", "10.77.0.2/24"}
	for _, tt := range []struct {
		name, host     string
		server, client []string
	}{
		{"it serves", "10.77.0.2", tun, nil},
		{"it is served", "10.77.0.1", nil, tun},
	} {
		for _, how := range []string{"-n 1M", "-n 1M -R", "-u -b 50M -n 100K --bidir"} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				m := inNamespace(t, ns, dir, append([]string{"perf", "server", "--one-off", "-i", "0"}, tt.server...)...)
				m.ready()
				args := append([]string{"perf", "client", "-i", "0"}, strings.Fields(how)...)
				out, err := command(t, ns, dir, append(append(args, tt.client...), tt.host)...).Output()
				if err != nil || !strings.Contains(out, "receiver") {
					t.Errorf("the client ends with %v\n%s", err, out)
				}
				for m.errs.Scan() {
					t.Errorf("the server says %s", m.errs.Text())
				}
				if err := m.cmd.Wait(); err != nil {
					t.Errorf("the server ends with %v", err)
				}
			})
		}
	}
}
