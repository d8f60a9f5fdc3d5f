package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Mistake is one thing that is wrong with a file.
type Mistake struct {
	File string
	Line int // 1-based
	Text string
}

func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text) }

// decoder fills a Config from a YAML document and remembers the place of each value.
type decoder struct {
	file     string
	lines    map[string]int // of values, by their paths, such as listeners[0].address
	mistakes []*Mistake
}

func (d *decoder) wrong(line int, format string, arguments ...any) {
	d.mistakes = append(d.mistakes, &Mistake{d.file, max(line, 1), fmt.Sprintf(format, arguments...)})
}

// at records a mistake about the value at a path, or about what should contain it.
func (d *decoder) at(path, format string, arguments ...any) {
	line, holder := d.lines[path], path
	for line == 0 && holder != "" {
		holder = holder[:max(strings.LastIndexAny(holder, ".["), 0)]
		line = d.lines[holder]
	}
	d.wrong(line, path+": "+format, arguments...)
}

// err returns all mistakes sorted by line, or nil.
func (d *decoder) err() error {
	slices.SortStableFunc(d.mistakes, func(a, b *Mistake) int { return cmp.Compare(a.Line, b.Line) })
	var errs []error
	for _, m := range d.mistakes {
		errs = append(errs, m)
	}
	return errors.Join(errs...)
}

// decode fills a value from a node. The fields of structs are named by their tags.
func (d *decoder) decode(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	d.lines[path] = node.Line
	if text, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if node.Kind != yaml.ScalarNode {
			d.wrong(node.Line, "%s: want one value", path)
		} else if err := text.UnmarshalText([]byte(node.Value)); err != nil {
			d.wrong(node.Line, "%s: %v", path, err)
		}
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(node, into.Elem(), path)
	case reflect.Struct:
		d.mapping(node, into, path)
	case reflect.Slice:
		d.sequence(node, into, path)
	default:
		d.scalar(node, into, path)
	}
}

func (d *decoder) mapping(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.MappingNode {
		d.wrong(node.Line, "%s: want names and values, such as name: value", cmp.Or(path, "the file"))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		below := strings.TrimPrefix(path+"."+name.Value, ".")
		field, known := fieldOf(into, name.Value)
		switch {
		case !known:
			d.wrong(name.Line, "%s: there is no such setting", below)
		case seen[name.Value]:
			d.wrong(name.Line, "%s: is there twice", below)
		default:
			d.decode(node.Content[i+1], field, below)
		}
		seen[name.Value] = true
	}
}

func fieldOf(of reflect.Value, name string) (reflect.Value, bool) {
	for i := range of.NumField() {
		if of.Type().Field(i).Tag.Get("yaml") == name {
			return of.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func (d *decoder) sequence(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		d.wrong(node.Line, "%s: want a list", path)
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		d.decode(item, into.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) scalar(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.ScalarNode {
		d.wrong(node.Line, "%s: want one value", path)
		return
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(node.Value)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(node.Value, "_", ""), 10, 64)
		if err != nil || n < 1 {
			d.wrong(node.Line, "%s: want a whole number, 1 or more", path)
		}
		into.SetInt(n)
	default:
		panic("a setting of a kind that is not decoded: " + into.Kind().String())
	}
}

var units = []struct {
	name string
	size int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

// UnmarshalText reads a number with a unit: B, kB, KiB and so on.
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range units {
		number, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > (1<<62)/unit.size {
			break
		}
		*s = Size(n * unit.size)
		return nil
	}
	return errors.New("want a size, such as 4 MiB or 20 GB")
}

// UnmarshalText reads what [time.ParseDuration] does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed <= 0 {
		return errors.New("want a time, such as 30s or 10m")
	}
	*d = Duration(parsed)
	return nil
}

// UnmarshalText reads an address or a range in CIDR notation.
func (p *Prefix) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		address, failed := netip.ParseAddr(string(text))
		if failed != nil {
			return errors.New("want an address or a range of them, such as 10.1.2.3 or 10.1.0.0/16")
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	*p = Prefix(prefix.Masked())
	return nil
}

// Contains reports whether an address is in the range.
func (p Prefix) Contains(address netip.Addr) bool {
	return netip.Prefix(p).Contains(address.Unmap().WithZone(""))
}
