package script_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/berth/lab/script"
)

// TestScripts plays every script below testdata with each kind of addresses that
// it is for.
func TestScripts(t *testing.T) {
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".pkt" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s, err := script.Parse(path, src, nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		for _, v := range s.Variants() {
			t.Run(path+"/"+v.String(), func(t *testing.T) {
				t.Parallel()
				if r := s.Run(script.Config{Variant: v}); !r.Passed() {
					t.Error(r.Err)
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Options without a meaning here are taken, and said.
func TestOptionsWithoutEffectAreNoted(t *testing.T) {
	s, err := script.Parse("o.pkt", []byte("--speed=10G\n0 socket(..., SOCK_STREAM, 0) = 3\n+0 setsockopt(3, SOL_SOCKET, SO_MARK, [1], 4) = 0\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := s.Run(script.Config{})
	if !r.Passed() || len(r.Notes) != 2 || !strings.Contains(r.Notes[1], "o.pkt:3:4: the option has no effect here") || !strings.Contains(r.Notes[0], "o.pkt:1:") || !strings.Contains(r.Notes[0], "--speed has no effect") {
		t.Errorf("it says %v, %q", r.Err, r.Notes)
	}
}
