package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A schema is a JSON schema with the keywords that ours has.
type schema map[string]any

// takes tells whether a schema takes a value, as JSON Schema 2020-12 has it. A keyword
// that it does not know is a mistake of the test.
func (s schema) takes(t *testing.T, root schema, v any) bool {
	t.Helper()
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	text, isText := v.(string)
	sub := func(x any, v any) bool { return schema(x.(map[string]any)).takes(t, root, v) }
	count := func(all any) (n int) {
		for _, one := range all.([]any) {
			if sub(one, v) {
				n++
			}
		}
		return n
	}
	for key, want := range s {
		ok := true
		switch key {
		case "$schema", "$defs", "title", "description":
		case "$ref":
			ok = sub(root["$defs"].(map[string]any)[strings.TrimPrefix(want.(string), "#/$defs/")], v)
		case "type":
			ok = slices.Contains(typesOf(want), typeOf(v))
		case "anyOf":
			ok = count(want) > 0
		case "oneOf":
			ok = count(want) == 1
		case "not":
			ok = !sub(want, v)
		case "required":
			for _, one := range want.([]any) {
				_, has := object[one.(string)]
				ok = ok && (has || !isObject)
			}
		case "properties", "patternProperties", "additionalProperties":
			for name, one := range object {
				ok = ok && s.takesProperty(name, func(x any) bool { return sub(x, one) })
			}
		case "dependentSchemas":
			for name, one := range want.(map[string]any) {
				if _, has := object[name]; has {
					ok = ok && sub(one, v)
				}
			}
		case "minProperties":
			ok = !isObject || len(object) >= int(want.(float64))
		case "maxProperties":
			ok = !isObject || len(object) <= int(want.(float64))
		case "items":
			for _, one := range list {
				ok = ok && sub(want, one)
			}
		case "maxItems":
			ok = !isList || len(list) <= int(want.(float64))
		case "minLength":
			ok = !isText || utf8.RuneCountInString(text) >= int(want.(float64))
		case "maxLength":
			ok = !isText || utf8.RuneCountInString(text) <= int(want.(float64))
		case "pattern":
			ok = !isText || regexp.MustCompile(want.(string)).MatchString(text)
		default:
			t.Fatalf("the schema has %q, which this test does not know", key)
		}
		if !ok {
			return false
		}
	}
	return true
}

// takesProperty tells whether a property of an object may be, and may be what it is.
func (s schema) takesProperty(name string, takes func(any) bool) bool {
	if named, ok := s["properties"].(map[string]any); ok && named[name] != nil {
		return takes(named[name])
	}
	matching, _ := s["patternProperties"].(map[string]any)
	for pattern, one := range matching {
		if regexp.MustCompile(pattern).MatchString(name) {
			return takes(one)
		}
	}
	return s["additionalProperties"] != false
}

func typesOf(want any) (all []string) {
	if one, ok := want.(string); ok {
		return []string{one}
	}
	for _, one := range want.([]any) {
		all = append(all, one.(string))
	}
	return all
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "number"
}

// yamlBlocks are the blocks of YAML in a document, with something before each.
func yamlBlocks(t *testing.T, path, before string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)"+before+"(.*?)```").FindAllStringSubmatch(string(text), -1) {
		all = append(all, m[1])
	}
	return all
}

// TestSchemaAndReaderAgree: what the documentation shows, what is learned, and right and
// wrong files are to an editor what they are to berth.
func TestSchemaAndReaderAgree(t *testing.T) {
	var s schema
	if err := json.Unmarshal([]byte(Schema), &s); err != nil {
		t.Fatal(err)
	}
	good := yamlBlocks(t, "../../docs/run-policy.md", "```yaml\n")
	learned := yamlBlocks(t, "../../docs/run.md", `\$ cat learned.yaml\n(?:#[^\n]*\n)*`)
	for i := range learned {
		learned[i], _, _ = strings.Cut(learned[i], "$ ") // the next command
	}
	if len(good) != 1 || len(learned) != 1 {
		t.Fatalf("the documentation has %d policy files and %d that were learned", len(good), len(learned))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "trace"), []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	good = append(append(good, learned...),
		string(new(Learner).Policy()),
		"rules: []", "rules:", "lines: []", "x-a: {b: c}\nrules: []",
		"rules: [{allow: a}, {deny: [a, '*']}]",
		"lines: [{to: a, queue: 9 KiB, rate: 1 Mbit/s}]", "lines: [{to: [a, udp/*], queue: 9 KiB, profile: 3G}]",
		"lines: [{to: a, queue: 9 KiB, trace: trace}]", "lines: [{to: a, profile: perfect}]", "lines: [{to: a, loss: 0.5, delay: 0}]",
	)
	bad := []string{
		"[]", "a", "{}", "rule: []", "rules: a", "rules: {}", "rules: [a]", "rules: [{}]", "rules: [{alow: a}]", "rules: [{allow: a, deny: b}]",
		"rules: [{allow: ''}]", "rules: [{allow: a b}]", "rules: [{allow: {a: b}}]", "rules: [{allow: [[a]]}]", "rules: [{allow: null}]",
		"rules: []\nlearn: true", "lines: a", "lines: [{delay: 1ms}]", "lines: [{to: a}]", "lines: [{to: a, dely: 1ms}]",
		"lines: [{to: a, queue: 9 KiB}]", "lines: [{to: a, delay: 1ms, queue: 9 KiB}]", "lines: [{to: a, rate: 1 Mbit/s, trace: trace}]",
		"lines: [{to: a, delay: soon}]", "lines: [{to: a, delay: [1ms]}]", "lines: [{to: {a: b}, delay: 1ms}]",
	}
	for want, files := range map[bool][]string{true: good, false: bad} {
		for _, file := range files {
			var v any
			if err := yaml.Unmarshal([]byte(file), &v); err != nil {
				t.Fatalf("%q: %v", file, err)
			}
			text, err := json.Marshal(v) // as an editor's validator has it
			if err == nil {
				err = json.Unmarshal(text, &v)
			}
			if err != nil {
				t.Fatalf("%q: %v", file, err)
			}
			_, err = ParseFile(filepath.Join(dir, "policy.yaml"), []byte(file))
			if taken := s.takes(t, s, v); taken != want || (err == nil) != want {
				t.Errorf("%q: the schema takes it: %v; berth: %s", file, taken, fmt.Sprint(err))
			}
		}
	}
}
