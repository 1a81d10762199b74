package mistake

import (
	"errors"
	"strings"
	"testing"
)

func TestInFile(t *testing.T) {
	g := In("net.yaml", []byte("a: 1\r\n\tb: \x1b[31m\nc: "+strings.Repeat("x", 200)+"!"))
	if g.Err() != nil || g.Count() != 0 || g.Full() {
		t.Errorf("%v", g.Err())
	}
	g.Add(Pos{3, 204}, 1, "", "it ends badly")
	g.Add(Pos{2, 2}, 1, "", "say %v", "no")
	g.Add(Pos{1, 4}, 9, "make it 2", "this is %d", 1)
	g.Add(Pos{1, 4}, 9, "make it 2", "this is %d", 1) // by another alias
	g.Add(Pos{}, 0, "", "nowhere")
	g.Add(Pos{9, 9}, 1, "", "behind the end")
	var all InFiles
	if err := g.Err(); !errors.As(err, &all) || len(all) != 5 {
		t.Fatalf("%v", err)
	}
	var out strings.Builder
	all.Print(&out, "berth lab")
	for _, part := range []string{
		"berth lab: net.yaml:1:1: nowhere\n\n    1 | a: 1\n      | ^\n\nberth lab: net.yaml:1:4: this is 1\n\n    1 | a: 1\n      |    ^\nHint:  make it 2\n",
		"\n    2 |  b: \ufffd[31m\n      |  ^\n",
		"\n    3 | " + strings.Repeat("x", 40) + "!\n      | " + strings.Repeat(" ", 40) + "^\n",
		"berth lab: net.yaml:9:9: behind the end\n",
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("there is no\n%s\nin\n%s", part, out.String())
		}
	}
	for range 2 * most {
		g.Add(Pos{1, 1}, 1, "", "another")
	}
	if !g.Full() || g.Count() != most {
		t.Errorf("%d mistakes", g.Count())
	}
}

func TestInText(t *testing.T) {
	for _, tt := range []struct {
		e    InText
		want string
	}{
		{
			InText{What: "rule", Text: "exä.com:99999", Problem: "this is not a port", Hint: "a port is a number", At: 9, Width: 5},
			"berth run: rule \"exä.com:99999\", column 9: this is not a port\n\n    exä.com:99999\n            ^^^^^\nHint:  a port is a number\n",
		},
		{InText{What: "rule", Problem: "the rule is empty", Width: 1}, "berth run: rule \"\", column 1: the rule is empty\n\n    \n    ^\n"},
		{InText{What: "line", Text: "a\x1b", Problem: "no", At: 7, Width: 7}, "berth run: line \"a\\x1b\", column 3: no\n\n    a\ufffd\n      ^\n"},
	} {
		var out strings.Builder
		tt.e.Print(&out, "berth run")
		if out.String() != tt.want {
			t.Errorf("it says\n%s\nwant\n%s", out.String(), tt.want)
		}
	}
}
