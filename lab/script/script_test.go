package script_test

import (
	"io/fs"
	"os"
	"path/filepath"
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
