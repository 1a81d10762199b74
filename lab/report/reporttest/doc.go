// Package reporttest makes recordings to test reports with: real hosts on fake
// time, over links that do what a test is about, and one that is all malice.
//
// Its parts: a Net builds a network and records it (net.go, tap.go); the stories
// are what happens in one (stories.go). Each story is a function of a *testing.T
// since it runs in a bubble of testing/synctest; it takes milliseconds, and the
// packets of one are not the same in each run, for nobody orders its goroutines.
package reporttest
