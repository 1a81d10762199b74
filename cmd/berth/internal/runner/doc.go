// Package runner runs a program on a network of its own, and is its network.
//
// It puts together what others do: internal/box has the program and its wire,
// internal/gateway carries what comes over that to the world, internal/policy says
// what may. What is left is here:
//
//   - Options is what the person asked for (options.go), and Run does it (run.go);
//   - network is the program's view: its addresses, its names (network.go,
//     overlay.go);
//   - wire is what stands between the box and the gateway: a capture, a bad line, and
//     lines that lead to some destinations only (wire.go, lines.go);
//   - ruleFile reads the policy file, and again when it changes (rulefile.go);
//   - judge asks the policy for the gateway, and resolver asks the machine's name
//     servers for the policy (judge.go, resolver.go, outside.go);
//   - in a lab (lab.go) there is neither gateway nor policy: the wire leads to
//     cmd/berth/internal/labhost;
//   - asker asks the person about flows that no rule decides, at the terminal, and
//     rulebook keeps the answers (asker.go, terminal.go, rulebook.go);
//   - teller says what was denied, and writes events and what was learned
//     (teller.go).
//
// Limits: programs run on Linux only; elsewhere Run fails.
package runner
