package labfile

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"example.com/berth/link/impair"
)

// schemaObject is as much of a schema as these tests read.
type schemaObject struct {
	Properties map[string]schemaObject
	Items      *schemaObject
	Enum       []string
	Defs       map[string]schemaObject `json:"$defs"`
}

func readSchema(t *testing.T) schemaObject {
	t.Helper()
	var s schemaObject
	if err := json.Unmarshal([]byte(Schema), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func keys(s schemaObject) []string { return slices.Sorted(maps.Keys(s.Properties)) }

func names(fields []field) (all []string) {
	for _, f := range fields {
		all = append(all, f.name)
	}
	slices.Sort(all)
	return all
}

// TestSchemaHasTheKeysThatTheReaderHas keeps both from drifting apart.
func TestSchemaHasTheKeysThatTheReaderHas(t *testing.T) {
	s, p := readSchema(t), &parser{}
	same := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, the reader %q", what, got, want)
		}
	}
	c := conditions{parser: p, mtu: new(int), up: new(Conditions), down: new(Conditions)}
	same("conditions", keys(s.Defs["conditions"]), names(c.fields()))
	same("one way", keys(s.Defs["way"]), names(c.impairments(new(Conditions))))
	same("a link", keys(*s.Properties["links"].Items), slices.Sorted(slices.Values(append(names(c.fields()), "between", "name", "addresses"))))
	run := s.Properties["run"].Items.Properties
	for _, kind := range commands {
		_, fields, _ := kind.read(p, &Command{})
		own := slices.Sorted(slices.Values(append(names(fields), "name", "on", "start", "expect")))
		same(kind.kind, keys(run[kind.kind]), own)
		metrics := []string{"error"}
		for _, m := range Metrics[kind.kind] {
			metrics = append(metrics, m.Name)
		}
		slices.Sort(metrics)
		same("what is expected of "+kind.kind, keys(run[kind.kind].Properties["expect"]), metrics)
	}
	if len(run) != len(commands) {
		t.Errorf("commands %q", keys(*s.Properties["run"].Items))
	}
	var profiles []string
	for _, p := range impair.Profiles() {
		profiles = append(profiles, p.Name)
	}
	same("profiles", s.Defs["conditions"].Properties["profile"].Enum, profiles)
	for _, a := range actions {
		if _, ok := s.Properties["events"].Items.Properties[string(a)]; !ok {
			t.Errorf("the schema does not have %s", a)
		}
	}
}
