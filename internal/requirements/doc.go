// Package requirements keeps the account of what the project makes of the
// requirements of the RFCs and of known attacks, and holds it to its tests.
//
// Each RFC has a table in docs/, one requirement a line: rfc9293.tsv and
// rfc1122.tsv. In defences.tsv each line is an attack, and what stands against
// it is the requirement (DEF-17). A test shows a requirement when its label stands in
// the test, in a comment or in the name of a case:
//
//	// MUST-61, SHLD-28: the last segment carries PSH, and all others are full.
//	func TestPush(t *testing.T) {
//
//	{"RST with data (SHLD-2)", "R 1:20(19)", "", closed},
//
//	tc.wantNothing() // MUST-25: off
//
// The label belongs to the innermost function, subtest or row of a table that it
// is written in or directly above; in a comment of a script of lab/script it
// belongs to the script. So it goes to a test that would fail if the
// requirement were not met, and nowhere else.
//
// The package's own test reads all tests of the module, fails for a label that
// no table has and for a requirement that no test shows (unless its line says
// why), and holds docs/rfc9293.md, docs/rfc1122.md and docs/defences.md to what
// it has read;
//
//	go test ./internal/requirements -update
//
// writes them anew.
//
// Limits: that a test which is named passes is seen by running it, as go test
// ./... does; that it would fail otherwise, by reading it.
package requirements
