// Package policy decides who may talk to whom: whether a program may begin a
// flow, which names it may ask for, which addresses the answers give them, and
// whether what it says at the beginning of a flow agrees with the name that let it
// through.
//
// # Parts
//
//   - rule.go, parse.go, file.go: rules, their grammar (see [ParseRule]), and files
//     of them.
//   - rules.go: which rule decides. The first that matches does; if any rule
//     allows, what none matches is refused.
//   - special.go: addresses that are reached only by a rule that names them:
//     loopback, link-local, metadata of clouds, the networks of the machine, and
//     all of them inside of IPv6 addresses that translators and tunnels make of
//     them. A rule names a guarded range by a network that is no wider.
//   - policy.go: a [Policy]: rules, which can be changed as a whole at any time,
//     and what names mean, which stays.
//   - question.go, answer.go, reverse.go, dnswrite.go, pins.go, budget.go: the resolver: what
//     may be asked, what is answered, and which name an address has for it, and
//     for how long.
//   - inspect.go: a [Hello], with package hello: what the client says first.
//   - event.go, denials.go, learn.go: what is told of it: to programs, to a
//     person, and as a policy that would have allowed it.
//
// # Why a name can be trusted
//
// A rule about a name lets a flow through if berth's own resolver gave the program
// the flow's address for that name, and not long ago; other resolvers are not
// reached unless a rule opens port 53 by number. The resolver asks only for names
// that a rule allows, so that it is no tunnel. An address may have many names, and
// a program may say any: so TLS and QUIC must say a server name, and HTTP a Host,
// that is allowed and that the address was given for. A protocol that says no name
// is its address and port, whichever of the names led there.
//
// The rule must match the name that was asked for, not the names that it is an
// alias of: its owner decides what it is an alias of. A rule that refuses a name
// holds for aliases too, against claims as well as answers, and for an address in
// any of its forms.
//
// A name alone never leads to a private address: its owner could point it at
// somebody's router. name@10.0.0.0/8 says where it may be.
//
// # Limits
//
// What is behind an allowed name is trusted with what it is sent: a server that
// forwards, one of many customers of a content network (whose server name may be
// that of another, if both have the address), a proxy. Only the first request of a
// connection is read, and no second ClientHello. Who asks for names below a
// wildcard tells their servers by asking: that is slowed, not stopped (budget.go).
// Addresses that programs learn otherwise, from a file or from each other, have no
// name here. Rules that refuse names are no match for a program that goes by
// addresses and says no name; allow what is wanted instead.
//
// The package has no goroutine, clock or socket of its own. A Policy has a lock;
// the other types belong to one goroutine at a time.
package policy
