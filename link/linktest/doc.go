// Package linktest holds devices to the contract of package link: [Run] is the
// suite that every link.Device passes, in memory or in an operating system.
//
// The frames of the suite are IPv4 packets with valid headers, and whatever
// else comes in at a device (an operating system has things to say, too) is
// passed over, so that it fits devices that are not alone on their link.
package linktest
