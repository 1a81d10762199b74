// Command static asks for a page, and looks up names with Go's own resolver: a
// program without libc, whose system calls are all there is to be intercepted.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	addrs, err := resolver.LookupHost(context.Background(), os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// Of names in /etc/hosts nobody is asked; of this one the resolver is.
	texts, err := resolver.LookupAddr(context.Background(), addrs[0])
	fmt.Println(addrs[0], texts, err)
	_, err = resolver.LookupHost(context.Background(), "no-such-name.example")
	fmt.Println(err)
	r, err := http.Get("http://" + os.Args[1] + ":" + os.Args[2])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer r.Body.Close()
	_, _ = io.Copy(os.Stdout, r.Body)
}
