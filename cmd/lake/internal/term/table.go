package term

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Cell is one text of a table.
type Cell struct {
	Text  string
	Style Style
}

// Text is a cell without a style.
func Text(text string) Cell { return Cell{Text: text} }

// Table is rows under titles, each column as wide as its widest cell.
type Table struct {
	titles []string
	right  []bool
	rows   [][]Cell
}

// NewTable is an empty table with these titles. A title that begins with > is of
// a column that is set flush right, for numbers.
func NewTable(titles ...string) *Table {
	t := &Table{}
	for _, title := range titles {
		name, right := strings.CutPrefix(title, ">")
		t.titles = append(t.titles, name)
		t.right = append(t.right, right)
	}
	return t
}

// Row adds a row, a cell for each title.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// gap stands between columns.
const gap = "  "

// Write puts the table on the screen, indented by two.
func (t *Table) Write(s Screen) error {
	widths := t.widths()
	var out bytes.Buffer
	titles := make([]Cell, len(t.titles))
	for i, title := range t.titles {
		titles[i] = Cell{title, Dim}
	}
	t.line(&out, s, widths, titles)
	for _, row := range t.rows {
		t.line(&out, s, widths, row)
	}
	_, err := out.WriteTo(s.Writer)
	return err
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.titles))
	for i, title := range t.titles {
		widths[i] = utf8.RuneCountInString(title)
	}
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell.Text))
		}
	}
	return widths
}

func (t *Table) line(out *bytes.Buffer, s Screen, widths []int, cells []Cell) {
	var line strings.Builder
	for i, cell := range cells {
		line.WriteString(gap)
		padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.Text))
		if t.right[i] {
			line.WriteString(padding)
			padding = ""
		}
		line.WriteString(s.Styled(cell.Style, cell.Text))
		line.WriteString(padding)
	}
	out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}
