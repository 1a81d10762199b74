package main

// labHelp is the long help of lab: the whole format on a page.
const labHelp = `Run the network that FILE describes, with what happens to it and what is run on
it, on the wall clock or on fake time.`
