package main

import (
	"fmt"
	"os"
)

// TODO: read the greeting from a configuration file
func main() {
	name := "world"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	fmt.Println("Hello, " + name + "!")
}
