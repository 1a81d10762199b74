package report_test

import (
	"bytes"
	"testing"

	"example.com/berth/lab/report"
	"example.com/berth/lab/report/reporttest"
)

func TestStoriesBecomePages(t *testing.T) {
	for name, story := range reporttest.Stories {
		t.Run(name, func(t *testing.T) {
			rec := story(t)
			var b bytes.Buffer
			if err := report.Write(&b, rec); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d packets, %d samples, %d bytes", len(rec.Packets), len(rec.Samples), b.Len())
		})
	}
}
