package lab_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/berth/lab"
)

// TestThatFailsForSomeSeeds fails where a connection attempt of two seconds is too
// short. It is run by TestFlags, in a process of its own.
func TestThatFailsForSomeSeeds(t *testing.T) {
	if os.Getenv("BERTH_LAB_FLAGS") == "" {
		t.Skip("run by TestFlags")
	}
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, _ := n.Pair(lab.Loss(0.2), lab.Delay(5*time.Millisecond))
		echo(t, b)
		d := a.Dialer()
		d.Timeout = 2 * time.Second
		c, err := d.Dial("tcp4", "b:7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for range 20 {
			exchange(t, c)
		}
	})
}

// again runs that test with flags, and returns what it prints.
func again(t *testing.T, flags ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestThatFailsForSomeSeeds$", "-test.v"}, flags...)...)
	cmd.Env = append(os.Environ(), "BERTH_LAB_FLAGS=1")
	out, _ := cmd.CombinedOutput() // that it fails is what is looked at
	return string(out)
}

func TestFlags(t *testing.T) {
	many := again(t, "-lab.seeds=40")
	if n := strings.Count(many, "=== RUN   TestThatFailsForSomeSeeds/seed="); n != 40 {
		t.Errorf("-lab.seeds=40 runs %d seeds", n)
	}
	failed := regexp.MustCompile(`--- FAIL: TestThatFailsForSomeSeeds/seed=(\d+)`).FindStringSubmatch(many)
	if failed == nil {
		t.Fatalf("no seed fails:\n%s", many)
	}
	seed := failed[1]
	if want := "go test -run '^TestThatFailsForSomeSeeds$' -lab.seed=" + seed; !strings.Contains(many, want) {
		t.Errorf("it does not say %s", want)
	}
	if one := again(t, "-lab.seed="+seed); !strings.Contains(one, "--- FAIL: TestThatFailsForSomeSeeds ") {
		t.Errorf("-lab.seed=%s does not fail again:\n%s", seed, one)
	}
	shrunk := again(t, "-lab.seed="+seed, "-lab.shrink")
	if !regexp.MustCompile(`still fails with \d+ of its \d+ random faults:\n\s+(a>b|b>a): packet \d+ lost`).MatchString(shrunk) {
		t.Errorf("-lab.shrink does not say what is left:\n%s", shrunk)
	}
}
