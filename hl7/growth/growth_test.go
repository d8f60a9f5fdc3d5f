package growth_test

import (
	"bytes"
	"testing"

	"hl7lake/hl7/growth"
)

const size = 16 << 10

func TestAFunctionThatGoesThroughItsInputOnceIsLinear(t *testing.T) {
	first, second, linear := growth.Linear(size, func(size int) func() {
		data := bytes.Repeat([]byte("~"), size)
		return func() { bytes.Count(data, []byte("~|")) }
	})
	if !linear {
		t.Errorf("%v, then %v", first, second)
	}
}

func TestAFunctionThatStartsAgainForEachPartIsNotLinear(t *testing.T) {
	first, second, linear := growth.Linear(size, func(size int) func() {
		data := bytes.Repeat([]byte("~"), size)
		return func() {
			for i := 0; i < len(data); i += 16 {
				bytes.Count(data[:i], []byte("~|"))
			}
		}
	})
	if linear {
		t.Errorf("%v, then %v", first, second)
	}
}
