package browser

import "testing"

// Every view of every story, in light and dark: drawn without a complaint.
func TestEveryViewIsDrawn(t *testing.T) {
	for _, story := range []string{"short", "keepalive", "bulk", "six", "empty", "malice"} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(story+"-"+scheme, func(t *testing.T) {
				p := open(t, story, scheme, "")
				for _, view := range []string{"overview", "ladder", "tcp", "events", "sockets"} {
					p.view(view)
					p.picture(view)
				}
				p.is("report.errors.length === 0")
			})
		}
	}
}
