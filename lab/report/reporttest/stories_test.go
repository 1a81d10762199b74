package reporttest

import (
	"bytes"
	"strings"
	"testing"

	"example.com/berth/lab/report"
)

// Each story that has packets has them in order, with what became of them, and
// makes a page and a text.
func TestStories(t *testing.T) {
	for name, story := range Stories {
		if name == "large" {
			continue // it is for the browser, and takes seconds
		}
		t.Run(name, func(t *testing.T) {
			rec := story(t)
			var page, text bytes.Buffer
			if err := report.Write(&page, rec); err != nil {
				t.Fatal(err)
			}
			if err := report.WriteText(&text, rec, report.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(rec.Packets); i++ {
				if rec.Packets[i].Sent < rec.Packets[i-1].Sent {
					t.Fatalf("packet %d was sent before the one before it", i)
				}
			}
			if name == "bulk" {
				for _, what := range []string{"lost", "corrupted", "duplicated", "reordered"} {
					if !strings.Contains(text.String()+comments(rec), what) {
						t.Errorf("nothing was %s", what)
					}
				}
			}
		})
	}
}

func comments(rec *report.Recording) string {
	var b strings.Builder
	for i := range rec.Packets {
		b.WriteString(rec.Packets[i].Comment)
	}
	return b.String()
}
