package term

import (
	"bytes"
	"strings"
)

// Cell is one text in a table.
type Cell struct {
	Text  string
	Style Style
}

// Text returns a cell without a style.
func Text(text string) Cell { return Cell{Text: text} }

// Table is rows under titles. Each column is as wide as its widest cell.
type Table struct {
	titles []string
	right  []bool
	rows   [][]Cell
}

// NewTable returns an empty table with these titles. A title that begins with > makes its
// column right-aligned, for numbers.
func NewTable(titles ...string) *Table {
	t := &Table{}
	for _, title := range titles {
		name, right := strings.CutPrefix(title, ">")
		t.titles = append(t.titles, name)
		t.right = append(t.right, right)
	}
	return t
}

// Row adds a row, with a cell for each title.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// gap stands between columns.
const gap = "  "

// Write writes the table to the screen, indented by two. If it is wider than the screen,
// the widest column is folded between words, and a long word after one of its marks.
// Numbers are never folded.
func (t *Table) Write(s Screen) error {
	width := s.Width
	if width <= 0 {
		width = narrow
	}
	widths := t.fit(width)
	var out bytes.Buffer
	titles := make([]Cell, len(t.titles))
	for i, title := range t.titles {
		titles[i] = Cell{title, Dim}
	}
	for _, row := range append([][]Cell{titles}, t.rows...) {
		t.row(&out, s, widths, row)
	}
	_, err := out.WriteTo(s.Writer)
	return err
}

// fit returns the widths of the columns, together no wider than the screen, if possible.
func (t *Table) fit(width int) []int {
	widths, least := t.widths()
	for {
		total, widest := 0, -1
		for i, w := range widths {
			total += len(gap) + w
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if total <= width || widest < 0 {
			return widths
		}
		widths[widest] = max(least[widest], widths[widest]-(total-width))
	}
}

// widths returns how wide each column would be, and how narrow it can be.
func (t *Table) widths() (widths, least []int) {
	widths, least = make([]int, len(t.titles)), make([]int, len(t.titles))
	for i, title := range t.titles {
		widths[i] = columns(title)
		least[i] = widths[i]
	}
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell.Text))
			if t.right[i] { // a number stays with its unit
				least[i] = widths[i]
				continue
			}
			for _, word := range words(cell.Text) {
				least[i] = max(least[i], columns(strings.TrimRight(word, " ")))
			}
		}
	}
	return widths, least
}

// row writes a row, on as many lines as its cells need.
func (t *Table) row(out *bytes.Buffer, s Screen, widths []int, cells []Cell) {
	folded, height := make([][]string, len(cells)), 1
	for i, cell := range cells {
		folded[i] = Fold(cell.Text, widths[i])
		height = max(height, len(folded[i]))
	}
	for n := range height {
		line := make([]Cell, len(cells))
		for i, cell := range cells {
			if n < len(folded[i]) {
				line[i] = Cell{folded[i][n], cell.Style}
			}
		}
		t.line(out, s, widths, line)
	}
}

func (t *Table) line(out *bytes.Buffer, s Screen, widths []int, cells []Cell) {
	var line strings.Builder
	for i, cell := range cells {
		line.WriteString(gap)
		padding := strings.Repeat(" ", widths[i]-columns(cell.Text))
		if t.right[i] {
			line.WriteString(padding)
			padding = ""
		}
		line.WriteString(s.Styled(cell.Style, cell.Text))
		line.WriteString(padding)
	}
	out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}
