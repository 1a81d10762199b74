package limits

// copies are rates of copying, by the cache that source and destination fit.
func copies() (rows []Row) {
	for _, c := range []struct {
		name       string
		size, span int
	}{
		{"copy 1500 B, in L1", 1500, 1500},
		{"copy 64 KiB, in L2", 64 << 10, 64 << 10},
		{"copy 64 KiB of 8 MiB, in L3", 64 << 10, 8 << 20},
		{"copy 64 KiB of 256 MiB, in memory", 64 << 10, 256 << 20},
	} {
		rows = append(rows, Row{c.name, "GB/s", true, func() float64 {
			src, dst := make([]byte, c.span), make([]byte, c.span)
			for i := range src {
				src[i] = byte(i)
			}
			copy(dst, src)
			at := 0
			return float64(c.size) / perOp(func(n int) {
				for range n {
					copy(dst[at:at+c.size], src[at:at+c.size])
					if at += c.size; at+c.size > c.span {
						at = 0
					}
				}
			})
		}})
	}
	return rows
}
