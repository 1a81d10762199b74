// Package units reads the values of files and flags: durations, rates, sizes,
// shares, counts.
//
//	duration  a number and its unit, or several: 20ms, 1.5s, 1m30s; ns, us, ms, s, m, h
//	rate      a number and bit/s, kbit/s, Mbit/s or Gbit/s, or bps, kbps, Mbps, Gbps
//	size      a number of bytes, or with B, kB, MB, GB (of 1000) or KiB, MiB, GiB (of 1024)
//	share     a percentage, 1%, or a number from 0 to 1
//	count     a whole number
//
// A space may stand before a unit, and units do not mind the case of letters. The
// errors name the value; what a grammar allows is in the hints.
package units
