package endpoint

import (
	"strings"
	"testing"
)

func TestForms(t *testing.T) {
	for _, tt := range []struct{ args, local, remote string }{
		{":80", ":80", ":80"},
		{"10.0.0.2:80", "10.0.0.2:80", "10.0.0.2:80"},
		{"example.org:80", "example.org:80", "example.org:80"},
		{"example.org:http", "example.org:80", "example.org:80"},
		{"[::1]:80", "[::1]:80", "[::1]:80"},
		{"[fe80::1%eth0]:80", "[fe80::1%eth0]:80", "[fe80::1%eth0]:80"},
		{"10.0.0.2 80", "10.0.0.2:80", "10.0.0.2:80"},
		{"::1 80", "[::1]:80", "[::1]:80"},
		{"[::1] 80", "[::1]:80", "[::1]:80"},
		{"fe80::1%eth0 80", "[fe80::1%eth0]:80", "[fe80::1%eth0]:80"},
		{"80", ":80", ""},
		{"*:80", ":80", "*:80"},
		{"* 80", ":80", "*:80"},
		{":0", ":0", ":0"},
		{":65535", ":65535", ":65535"},

		{"", "", ""},
		{":65536", "", ""},
		{":-1", "", ""},
		{"host", "", ""},
		{"host:", "", ""},
		{"::1:80", "", ""},
		{"[::1]", "", ""},
		{"[::1]80", "", ""},
		{"[::1]:", "", ""},
		{"[::1:80", "", ""},
		{"[nonsense::]:80", "", ""},
		{"a/b:80", "", ""},
		{"a b c", "", ""},
	} {
		args := strings.Fields(tt.args)
		for name, f := range map[string]struct {
			parse func([]string) (Endpoint, error)
			want  string
		}{"Local": {Local, tt.local}, "Remote": {Remote, tt.remote}} {
			e, err := f.parse(args)
			got := e.String()
			if err != nil {
				got = ""
			}
			if got != f.want {
				t.Errorf("%s(%q) = %q, %v, want %q", name, args, got, err, f.want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[fe80::1%eth0]:80", "")
	f.Add("host", "1")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, args := range [][]string{{a}, {a, b}} {
			if e, err := Local(args); err == nil && strings.ContainsAny(e.Host, " []/") {
				t.Errorf("%q gives the host %q", args, e.Host)
			}
		}
	})
}
