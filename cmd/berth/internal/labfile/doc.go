// Package labfile reads the files that berth lab runs: a network, what happens
// to it, what is run on it, and what is expected of that, in YAML.
//
//	name: a client that must retry
//	seed: 7
//	time: fake
//	hosts: [client, web]
//	links:
//	  - between: [client, web]
//	    delay: 20ms
//	    loss: 30%
//	run:
//	  - ping: {on: client, to: web, count: 10, expect: {loss: "< 60%"}}
//
// [Parse] reads a file into a [File] and finds every mistake that can be found
// without building the network: keys that are unknown or there twice, values
// that do not follow their grammar, names of hosts and links that there are not.
// Each is an [Error] with line and column, what is wrong, and what to do. The
// file schema.json, which is [Schema], says the same to editors.
//
// # Values
//
//	duration  a number and its unit, or several: 20ms, 1.5s, 1m30s; ns, us, ms, s, m, h
//	rate      a number and bit/s, kbit/s, Mbit/s or Gbit/s, or bps, kbps, Mbps, Gbps
//	size      a number of bytes, or with B, kB, MB, GB (of 1000) or KiB, MiB, GiB (of 1024)
//	share     a percentage, 1%, or a number from 0 to 1
//	count     a whole number
//	address   an IP address with the length of its network's prefix: 192.0.2.1/24
//
// A space may stand before a unit, and units do not mind the case of letters.
// What is expected is a value with <, <=, >, >=, = or != before it, a value
// alone, which stands for =, or two with .. between them: "9 .. 10 Mbit/s" is
// both ends and all between.
//
// # Limits
//
// A file has at most [MaxBytes] bytes, and one document. Aliases, and merging
// with <<, work; keys that begin with x- at the top level are for anchors.
package labfile
