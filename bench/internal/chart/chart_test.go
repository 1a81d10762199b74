package chart

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
)

func TestChartIsSVGWithItsNames(t *testing.T) {
	c := Chart{
		Title: "throughput", X: "MTU", Y: "Gbit/s", Ticks: []float64{576, 1500},
		Lines: []Line{
			{"one", []Point{{576, 1, 0.9, 1.1}, {1500, 3, 2.5, 3}}},
			{"another", []Point{{576, 0.2, 0.2, 0.2}}},
			{"not measured", nil},
		},
	}
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := dec.Token(); err != nil {
			if err.Error() != "EOF" {
				t.Error(err)
			}
			break
		}
	}
	for _, name := range []string{"throughput", "MTU", "Gbit/s", "576", "1500", "one", "another"} {
		if !strings.Contains(b.String(), ">"+name+"<") {
			t.Errorf("%s is not in it", name)
		}
	}
	if strings.Contains(b.String(), "not measured") {
		t.Error("a line without points has a name")
	}
}
