// Package examples runs programs that everybody knows in networks of package lab.
package examples
