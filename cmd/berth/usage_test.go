package main

import (
	"strings"
	"testing"
)

func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct {
		args    string
		problem string // after the name of the command
		marked  string // the part of the command line under which the carets are
		hint    string // a part of it
	}{
		{"nosuch", `unknown command "nosuch"`, "nosuch", "'berth --help' lists the commands"},
		{"ecko", `unknown command "ecko"`, "ecko", "did you mean 'berth echo'?"},
		{"--nosuch", "unknown flag --nosuch", "--nosuch", "'berth --help' tells more"},

		{"echo", "no address is given", "", "an address is :port"},
		{"echo :70000", `invalid port "70000"`, "70000", "from 0 to 65535"},
		{"echo -u :-1", `invalid port "-1"`, "-1", "from 0 to 65535"},
		{"echo :nosuchservice", `unknown service "nosuchservice"`, "nosuchservice", "a name such as http"},
		{"echo 10.0.0.1", `the port is missing after "10.0.0.1"`, "10.0.0.1", "an address is :port"},
		{"echo 10.0.0.1:", `the port is missing after "10.0.0.1:"`, "10.0.0.1:", "an address is :port"},
		{"echo ::1:80", `too many colons in "::1:80"`, "::1:80", "[::1]:80"},
		{"echo [::1]", `bad address "[::1]"`, "[::1]", "[::1]:50007"},
		{"echo [::g]:80", `bad IPv6 address "::g"`, "::g", "an address is :port"},
		{"echo a b c", `one argument too many: "c"`, "c", "host and port as two words"},
		{"echo --verbos :7", "unknown flag --verbos", "--verbos", "did you mean --verbose?"},
		{"echo -Z :7", "unknown flag -Z", "-Z", "'berth echo --help' tells more"},
		{"listen -w x :7", `invalid -w/--wait "x": want seconds such as 0.2, or a duration such as 200ms`, "x", "-w/--wait TIME"},
		{"connect 50007", `the port is missing after "50007"`, "50007", "an address is :port"},
		{"connect -w", "-w/--wait needs a value", "", "-w/--wait TIME"},
		{"connect -w -1s :7", `invalid -w/--wait "-1s": want at least 0s`, "-1s", "TIME"},

		{"echo --addr 10.0.0.2/24 :7", "--addr needs --tun", "--addr", "--tun NAME makes a host"},
		{"echo --mtu 1400 :7", "--mtu needs --tun", "--mtu", "--tun NAME makes a host"},
		{"echo --tun bt0 :7", "a host on a TUN needs an address", "bt0", "--addr 10.77.0.2/24"},
		{"echo --tun bt0 --addr 10.0.0.2 :7", `invalid --addr "10.0.0.2"`, "10.0.0.2", "with the length of its network's prefix"},
		{"echo --tun bt0 --addr 224.0.0.1/4 :7", `"224.0.0.1/4" cannot be the address of an interface`, "224.0.0.1/4", ""},
		{"echo --tun bt0 --addr 10.0.0.2/24 --host-addr x :7", `invalid --host-addr "x"`, "x", "10.77.0.2/24"},
		{"echo --tun bt0 --addr 10.0.0.2/24 --gateway x :7", `invalid --gateway "x": it is not an IP address`, "x", ""},
		{"echo --tun bt0 --addr 10.0.0.2/24 --dns x :7", `invalid --dns "x": it is not an IP address`, "x", "10.0.0.1:53"},
		{"echo --tun bt0 --addr 10.0.0.2/24 --mtu 67 :7", "the MTU is out of range", "67", "from 68 to 65535"},

		{"ping", "no host is given", "", "HOST is a name"},
		{"ping a b", `one argument too many: "b"`, "b", "one host"},
		{"ping -c 0 localhost", "-c/--count 0 is out of range", "0", "at least 1"},
		{"ping -c x localhost", `invalid -c/--count "x": it is not a number`, "x", "-c/--count N"},
		{"ping -s 65508 localhost", "-s/--size 65508 is out of range", "65508", "from 0 to 65507"},
		{"ping -t 256 localhost", "-t/--ttl 256 is out of range", "256", "from 1 to 255"},
		{"ping -i 0 localhost", `invalid -i/--interval "0": want at least 1ms`, "0", "-i/--interval TIME"},

		{"ss 80", `ss takes no argument "80"`, "80", "flags choose"},
		{"ss --berth bt0 --kernel", "--berth and --kernel exclude each other", "--kernel", "--berth"},

		{"demo x", `demo takes no argument "x"`, "x", "how bad the wire is"},
		{"demo --loss 2", `invalid --loss "2": want a probability from 0 to 1, or a percentage such as 2%`, "2", "--loss P"},
		{"demo --loss NaN", `invalid --loss "NaN": want a probability from 0 to 1, or a percentage such as 2%`, "NaN", ""},
		{"demo --delay 2h", `invalid --delay "2h": want at most 10s`, "2h", "--delay TIME"},
		{"demo --seed -1", `invalid --seed "-1": it is not a number`, "-1", "--seed N"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.Fields(tt.args)
			r := run(t, "", args...)
			wantStatus(t, r.status, exitUsage)
			want(t, "standard output", r.stdout, "")
			lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
			if len(lines) != 6 {
				t.Fatalf("said\n%s", r.stderr)
			}
			name := "berth: "
			for _, c := range newRoot().Commands() {
				if args[0] == c.Name() {
					name = "berth " + args[0] + ": "
				}
			}
			want(t, "the problem", lines[0], name+tt.problem)
			want(t, "the command line", strings.TrimRight(lines[2], " "), "    berth "+tt.args)
			if got := marked(lines[2], lines[3]); got != tt.marked {
				t.Errorf("%q is marked, want %q", got, tt.marked)
			}
			if !strings.HasPrefix(lines[4], "Usage: berth ") {
				t.Errorf("usage is %q", lines[4])
			}
			if !strings.HasPrefix(lines[5], "Hint:  ") || !strings.Contains(lines[5], tt.hint) {
				t.Errorf("hint is %q, want %q in it", lines[5], tt.hint)
			}
		})
	}
}

// marked is the text over the carets.
func marked(line, carets string) string {
	from := strings.Index(carets, "^")
	return strings.TrimSpace(line[min(from, len(line)):min(len(carets), len(line))])
}

func TestUsageErrorQuotesAsAShellDoes(t *testing.T) {
	r := run(t, "", "ping", "a host", "b\x1b[31m")
	wantStatus(t, r.status, exitUsage)
	if strings.Contains(r.stderr, "\x1b") {
		t.Errorf("an escape sequence reached the terminal: %q", r.stderr)
	}
	if !strings.Contains(r.stderr, `berth ping "a host"`) {
		t.Errorf("said %q", r.stderr)
	}
}
