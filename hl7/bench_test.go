package hl7_test

import (
	"os"
	"testing"

	"hl7lake/hl7"
)

func samples(b *testing.B, run func(b *testing.B, data []byte)) {
	for _, name := range []string{"adt_1kb"} {
		data, err := os.ReadFile("testdata/" + name + ".hl7")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			run(b, data)
		})
	}
}

func BenchmarkParse(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		var m hl7.Message
		for b.Loop() {
			if err := m.Parse(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		m, err := hl7.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		var dst []byte
		for b.Loop() {
			dst = m.AppendJSON(dst[:0], hl7.JSON{})
		}
	})
}

func BenchmarkGet(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		m, err := hl7.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			m.Get("PID-5.1")
		}
	})
}
