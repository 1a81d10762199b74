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
// Each has its line and column, what is wrong, and what to do. The
// file schema.json, which is [Schema], says the same to editors.
//
// Values are those of package units. What is expected is a value with <, <=, >, >=,
// = or != before it, a value alone, which stands for =, or two with .. between
// them: "9 .. 10 Mbit/s" is both ends and all between. An address is an IP address
// with the length of its network's prefix, 192.0.2.1/24.
//
// # Limits
//
// A file has at most [MaxBytes] bytes, and one document. Aliases, and merging
// with <<, work; keys that begin with x- at the top level are for anchors.
package labfile
