package limits

import (
	"encoding/binary"
	"sync"
)

// heap are costs of memory and of finding a connection in a map.
func heap() []Row {
	pool := sync.Pool{New: func() any { b := make([]byte, 2048); return &b }}
	const conns = 10_000
	table := map[[12]byte]*int{}
	var key [12]byte
	for i := range conns {
		binary.LittleEndian.PutUint32(key[:], uint32(i))
		table[key] = new(int)
	}
	var last []byte
	i := uint32(0)
	return []Row{
		ns("make 2048 B, and its collection", func() float64 {
			const n = 1_000_000
			return float64(processTime(func() {
				for range n {
					last = make([]byte, 2048)
				}
				_ = last
			})) / n
		}),
		ns("sync.Pool, get and put of 2048 B", repeat(func() { pool.Put(pool.Get()) })),
		ns("map of 10000 with keys of 12 bytes", repeat(func() {
			i = (i + 7919) % conns
			binary.LittleEndian.PutUint32(key[:], i)
			_ = table[key]
		})),
	}
}
