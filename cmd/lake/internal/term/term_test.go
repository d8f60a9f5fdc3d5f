package term

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestOnlyATerminalIsColouredAndWrittenOver(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var buffer bytes.Buffer
	for name, screen := range map[string]Screen{
		"a file":   NewScreen(file, func(string) string { return "" }),
		"a buffer": NewScreen(&buffer, func(string) string { return "" }),
	} {
		if screen.Colour || screen.Live || screen.Styled(Bad, "text") != "text" {
			t.Errorf("%s: %+v", name, screen)
		}
	}
}

func TestColumnsAreAsWideAsTheirTexts(t *testing.T) {
	table := NewTable("NAME", ">SIZE", "NOTE")
	table.Row(Cell{"Ελένη", Good}, Text("1"), Text(""))
	table.Row(Text("a"), Text("12345"), Cell{"x", Bad})
	want := "  NAME    SIZE  NOTE\n  Ελένη      1\n  a      12345  x\n"
	var out bytes.Buffer
	if err := table.Write(Screen{Writer: &out}); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := table.Write(Screen{Writer: &out, Colour: true}.Clean()); err != nil {
		t.Fatal(err)
	}
	colourless := strings.NewReplacer("\x1b[2m", "", "\x1b[32m", "", "\x1b[31m", "", "\x1b[0m", "").Replace(out.String())
	if colourless != want {
		t.Errorf("with colour the columns move:\n%s", out.String())
	}
}

func TestProgressIsOneLineThatGoesAway(t *testing.T) {
	var out bytes.Buffer
	progress := NewProgress(Screen{Writer: &out, Live: true, Width: 10})
	progress.Say("short")
	progress.Say("longer than that")
	progress.Clear()
	progress.Clear()
	if want := "\r\x1b[Kshort\r\x1b[Klonger t…\r\x1b[K"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	silent := NewProgress(Screen{Writer: &out})
	silent.Bar("half", 1, 2)
	silent.Clear()
	if out.Len() > 0 {
		t.Errorf("%q where nothing can be written over", out.String())
	}
}

func TestABarIsAsFullAsWhatIsDone(t *testing.T) {
	for done, full := range map[int64]int{0: 0, 50: 12, 100: 24, 200: 24} {
		var out bytes.Buffer
		NewProgress(Screen{Writer: &out, Live: true}).Bar("x", done, 100)
		if got := strings.Count(out.String(), "━"); got != full {
			t.Errorf("%d of 100: %d of 24", done, got)
		}
	}
}
