// Package policy decides who may talk to whom: whether a program may begin a
// flow, which names it may ask for, and whether what it says at the beginning of
// a flow agrees with the name that let it through.
package policy
