// Package linktest holds devices to the contract of package link: [Run] is the
// suite that every link.Device passes.
package linktest
