package tables

import (
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding"
)

// newCodec returns the compression of a Writer's files. All columns share its encoders,
// which take half a megabyte each.
func newCodec() *zstd.Codec { return &zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1} }

// options returns the options of a table's Parquet file.
func options(t *Table, codec *zstd.Codec) []parquet.WriterOption {
	return []parquet.WriterOption{
		schema(t, codec),
		parquet.CreatedBy("hl7lake", Version, ""),
		parquet.KeyValueMetadata("hl7lake.tables", Version),
		parquet.DataPageStatistics(false), // four copies of a value in each page; those of the row group and the index are what readers use
		parquet.PageBufferSize(64 << 10),
		parquet.DictionaryMaxBytes(256 << 10), // a column with more texts is not a list of codes, and is written without a dictionary
	}
}

// schema returns the Parquet schema of a table, with the columns in the order of the
// description.
func schema(t *Table, codec *zstd.Codec) *parquet.Schema {
	columns := ordered{Group: parquet.Group{}}
	for _, c := range t.Columns {
		columns.Group[c.Name] = c.node(codec)
		columns.names = append(columns.names, c.Name)
	}
	return parquet.NewSchema(t.Name, columns)
}

// node returns the column's Parquet node.
func (c Column) node(codec *zstd.Codec) parquet.Node {
	var node parquet.Node
	switch c.Type {
	case Integer:
		node = parquet.Int(32)
	case Number:
		node = parquet.Leaf(parquet.DoubleType)
	case Date:
		node = parquet.Date()
	case Timestamp:
		node = parquet.TimestampAdjusted(parquet.Millisecond, false) // Athena reads no more than milliseconds
	default:
		node = parquet.String()
	}
	how := encoding.Encoding(&parquet.RLEDictionary)
	if c.unique {
		how = &parquet.Plain
	}
	node = parquet.Compressed(parquet.Encoded(node, how), codec)
	if c.Required {
		return node
	}
	return parquet.Optional(node)
}

// ordered is a group whose fields have an explicit order. The fields of a parquet.Group
// are ordered by name.
type ordered struct {
	parquet.Group
	names []string
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}
