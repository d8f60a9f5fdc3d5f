package hl7_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"hl7lake/hl7"
	"hl7lake/hl7/internal/sample"
)

func samples(b *testing.B, run func(b *testing.B, data []byte)) {
	for _, message := range sample.All() {
		b.Run(message.Name, func(b *testing.B) {
			b.SetBytes(int64(len(message.Data)))
			b.ReportAllocs()
			run(b, message.Data)
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

func BenchmarkParseAndAppendJSON(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		var m hl7.Message
		var dst []byte
		for b.Loop() {
			if err := m.Parse(data); err != nil {
				b.Fatal(err)
			}
			dst = m.AppendJSON(dst[:0], hl7.JSON{})
		}
	})
}

// This benchmark measures Parse and AppendJSON in turns of some 20 µs and reports the
// shortest of each, so that other work on the machine changes their ratio little.
func BenchmarkParseBesideAppendJSON(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		var m hl7.Message
		var dst []byte
		parse, json := time.Hour, time.Hour
		times := 1 + 20_000/len(data)
		b.SetBytes(0) // an iteration is several of each
		for b.Loop() {
			start := time.Now()
			for range times {
				if err := m.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
			middle := time.Now()
			for range times {
				dst = m.AppendJSON(dst[:0], hl7.JSON{})
			}
			parse, json = min(parse, middle.Sub(start)), min(json, time.Since(middle))
		}
		size := float64(times * len(data))
		b.ReportMetric(size/float64(parse), "Parse-GB/s")
		b.ReportMetric(size/float64(json), "JSON-GB/s")
		b.ReportMetric(float64(parse)/float64(json), "JSON/Parse")
	})
}

func BenchmarkGet(b *testing.B) {
	m, err := hl7.Parse(sample.ADT())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Get("PID-5.1")
	}
}

func BenchmarkPeek(b *testing.B) {
	data := sample.ADT()
	b.ReportAllocs()
	for b.Loop() {
		hl7.Peek(data)
	}
}

func BenchmarkNormalize(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\r\n"))
		var dst []byte
		for b.Loop() {
			dst = hl7.Normalize(dst[:0], data)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	samples(b, func(b *testing.B, data []byte) {
		stream := bytes.Repeat(data, 1+(4<<20)/len(data))
		b.SetBytes(int64(len(stream)))
		for b.Loop() {
			for _, err := range hl7.NewReader(io.MultiReader(bytes.NewReader(stream))).Messages() {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
