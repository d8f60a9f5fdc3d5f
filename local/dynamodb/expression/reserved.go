package expression

import (
	_ "embed"
	"strings"
	"sync"
)

// reservedWords is the list of "Reserved words in DynamoDB" (Amazon DynamoDB
// Developer Guide), one a line.
//
//go:embed reserved_words.txt
var reservedWords string

var reserved = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.Lines(reservedWords) {
		words[strings.TrimSpace(word)] = true
	}
	return words
})

// isReserved reports whether an attribute of that name must be written as a
// # placeholder. Case does not matter.
func isReserved(word string) bool { return reserved()[strings.ToUpper(word)] }
