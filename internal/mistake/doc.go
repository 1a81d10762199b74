// Package mistake shows a person what is wrong with a text that the person wrote,
// at its place.
//
//   - [InText] is a mistake in a short text, such as a rule on a command line;
//   - [InFile] is one in a file, with its line and column, and [InFiles] are all of
//     a file, which [Gatherer] gathers.
//
// Both print the place with what is wrong marked beneath it, and a hint:
//
//	berth lab: lossy.yaml:12:5: unknown key "los" in a link
//
//	    12 |     los: 1%
//	       |     ^^^
//	Hint:  did you mean "loss"?
//
// What is shown is fit for a
// terminal: what does not print is a replacement character, and of a long line
// there is what is around the place.
package mistake
