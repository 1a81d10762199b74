// Package rtnl sets up and watches one network interface of the Linux kernel
// through rtnetlink, so that nobody needs the ip command, in any network
// namespace.
//
// Parts: [Namespace] runs a function in a network namespace; [Interface] gives
// an interface its addresses and MTU, brings it up, tells its [State], and
// watches that for changes that others make.
//
// Limits: Linux only. An Interface stays in the namespace it was found in, and
// keeps that alive until Close.
package rtnl
