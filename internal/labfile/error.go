package labfile

import "example.com/berth/internal/mistake"

// Pos is a place in a file: line and column from 1, the column in characters.
type Pos = mistake.Pos

// Errors are the mistakes in a file, in its order. There is at least one.
type Errors = mistake.InFiles
