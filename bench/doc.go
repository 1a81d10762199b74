// Command bench measures TCP/IP stacks against each other: the same workloads
// over berth, the kernel, gVisor, lneto and references in memory.
//
//	go run . -nets 'berth-*,kernel-lo,gv-wire*' -workloads 'bulk1,rr1' -reps 5
//	go run . -list                     # stacks and workloads
//	go run . -bars                     # the bars, with all they need
//	go run . -from results/runs.jsonl  # tables of earlier runs
//	go run . compare HEAD~1 HEAD       # two commits, by benchstat
//	go run . plot -from FILE           # the plots of the README
//	go run ./limits                    # what the machine can do at best
//	go run ./run                       # berth run beside its peers
//
// # How it is fair
//
// Each run is a process of its own in a network namespace of its own. All stacks
// take their turn within one repetition, so that a neighbour's noise hits all
// alike, and ratios are taken within a repetition. Tables show medians and
// spreads. Runs while which others used the machine are left out as soon as
// there are enough quiet ones. Receivers compare what they get.
//
// # Its parts
//
// Below internal/: host is what a stack offers, nets has the stacks, workload
// what is done with them, usage what that costs; emul is a long path, netns
// namespaces and TUNs, limits bare prototypes; runner starts processes and keeps
// their results, table, bars and chart show them. Programs below echo/ are built
// to see how large they are.
//
// # Limits
//
// Linux, as root (namespaces, TUN), with iproute2.
package main
