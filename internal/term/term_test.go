package term

import (
	"bytes"
	"os"
	"testing"
)

func TestWhatIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []any{new(bytes.Buffer), f, nil} {
		if Terminal(w) {
			t.Errorf("%T is a terminal", w)
		}
	}
	if got := For(f).On(Red, "text"); got != "text" {
		t.Errorf("painted %q", got)
	}
}

func TestPaint(t *testing.T) {
	for _, tt := range []struct {
		style      Style
		text, want string
	}{
		{Red, "text", "\x1b[1;31mtext\x1b[0m"},
		{Plain, "text", "text"},
		{Red, "", ""},
	} {
		if got := Colours().On(tt.style, tt.text); got != tt.want {
			t.Errorf("%q painted %q", tt.text, got)
		}
	}
}

func TestWidthWithoutTerminal(t *testing.T) {
	for _, tt := range []struct {
		columns string
		want    int
	}{{"", 80}, {"nonsense", 80}, {"40", 80}, {"93", 93}, {"200", 100}} {
		t.Setenv("COLUMNS", tt.columns)
		if got := Width(new(bytes.Buffer)); got != tt.want {
			t.Errorf("COLUMNS=%q: %d columns, want %d", tt.columns, got, tt.want)
		}
	}
}
