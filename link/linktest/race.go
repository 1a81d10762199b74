//go:build race

package linktest

const race = true
