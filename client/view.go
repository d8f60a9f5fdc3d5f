package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// View is a page of a message, parsed for people to look at: with names, types, codes in
// words, and findings. Programs read the JSON. If the message cannot be parsed, it has a
// Fault, and Lines in place of Segments.
type View struct {
	ID            string        `json:"id"`
	Type          string        `json:"type"`                // MSH-9, such as ORU^R01
	Structure     string        `json:"structure,omitempty"` // such as ORU_R01
	Event         string        `json:"event,omitempty"`     // in words
	Version       string        `json:"version,omitempty"`   // MSH-12
	VersionKnown  bool          `json:"version_known"`       // false if names and findings are another version's
	Charset       string        `json:"charset,omitempty"`   // in which the message was read
	Bytes         int           `json:"bytes"`               // the size of the message
	Total         int           `json:"segments_total"`      // segments of the message, or lines
	From          int           `json:"from"`                // the index of the page's first segment or line
	Next          int           `json:"next,omitempty"`      // where the next page begins; 0 if this is the last one
	Delimiters    *Delimiters   `json:"delimiters,omitempty"`
	Segments      []ViewSegment `json:"segments,omitempty"`
	Findings      []Finding     `json:"findings"`                // of the page; on the first one also of the message as a whole
	FindingsTotal int           `json:"findings_total"`          // of the message
	FindingsMore  bool          `json:"findings_more,omitempty"` // the page has more than it lists
	Unchecked     bool          `json:"unchecked,omitempty"`     // groups and findings are left out, because there are too many segments
	Ack           string        `json:"ack,omitempty"`           // what the sender is answered, with \n between segments
	Fault         *Fault        `json:"fault,omitempty"`
	Lines         []ViewLine    `json:"lines,omitempty"`
}

// Delimiters are those of a message; one that it does not use is empty.
type Delimiters struct {
	Field        string `json:"field"`
	Component    string `json:"component,omitempty"`
	Repetition   string `json:"repetition,omitempty"`
	Escape       string `json:"escape,omitempty"`
	Subcomponent string `json:"subcomponent,omitempty"`
}

// ViewSegment is a segment of a message, or a line in it that is none, which has Text.
type ViewSegment struct {
	Index    int         `json:"index"` // 0-based position in the message
	Name     string      `json:"name,omitempty"`
	Title    string      `json:"title,omitempty"`
	Groups   []string    `json:"groups,omitempty"`   // the outermost first: PATIENT_RESULT[1]
	Findings []int       `json:"findings,omitempty"` // all in the segment, as indexes into View.Findings
	Fields   []ViewField `json:"fields,omitempty"`   // field n is at n-1
	Text     string      `json:"text,omitempty"`
	Folded   int         `json:"folded,omitempty"` // bytes that are left out
}

// ViewField is a field of a segment.
type ViewField struct {
	Position    int        `json:"position"`
	Path        string     `json:"path"` // PID-3
	Name        string     `json:"name,omitempty"`
	Type        string     `json:"type,omitempty"`
	Table       string     `json:"table,omitempty"` // in four digits
	Usage       string     `json:"usage,omitempty"` // R, O, C, B or W
	Findings    []int      `json:"findings,omitempty"`
	Repetitions []ViewNode `json:"repetitions"` // empty if the field is
	Folded      int        `json:"folded,omitempty"`
}

// ViewNode is a repetition, a component or a sub-component. It has Parts or, as a leaf,
// Raw.
type ViewNode struct {
	Path     string     `json:"path"` // PID-3[1].4.2
	Name     string     `json:"name,omitempty"`
	Type     string     `json:"type,omitempty"`
	Table    string     `json:"table,omitempty"`
	Meaning  string     `json:"meaning,omitempty"` // of a code of the table
	Raw      string     `json:"raw,omitempty"`     // as sent, in Unicode; its beginning if it is long
	Text     string     `json:"text,omitempty"`    // with escapes decoded, if that differs
	Folded   int        `json:"folded,omitempty"`  // bytes that are left out; see Client.Value
	Findings []int      `json:"findings,omitempty"`
	Parts    []ViewNode `json:"parts,omitempty"`
}

// Finding is a place where a message departs from its version of the standard.
type Finding struct {
	Segment *int   `json:"segment,omitempty"` // the segment's index; nil for the message as a whole
	Path    string `json:"path"`
	Rule    string `json:"rule"`  // such as missing-field
	Level   string `json:"level"` // lenient, or strict for a rule that few senders keep
	Text    string `json:"text,omitempty"`
}

// Fault is why a message cannot be parsed.
type Fault struct {
	Code    string `json:"code"`
	Line    int    `json:"line"`              // the index of a line
	Segment int    `json:"segment,omitempty"` // counted from 1; 0 means none
	Path    string `json:"path,omitempty"`
	Offset  int    `json:"offset"` // in bytes, from the message's start
	Text    string `json:"text"`   // for a person
}

// ViewLine is a line of a message that cannot be parsed.
type ViewLine struct {
	Index  int    `json:"index"`
	Text   string `json:"text"` // its beginning if it is long
	Folded int    `json:"folded,omitempty"`
}

// View returns the page of the message that begins at the segment with the index from:
// the first page for 0, and after a page the one at its Next. The error is a *Problem; if
// the message is not ER7, its code is not-er7.
func (c *Client) View(ctx context.Context, id string, from int) (View, error) {
	body, err := c.get(ctx, "messages/"+url.PathEscape(id)+"/view?from="+strconv.Itoa(from))
	if err != nil {
		return View{}, err
	}
	var view View
	if err := json.Unmarshal(body, &view); err != nil {
		return View{}, fmt.Errorf("read the view of %s: %w", id, err)
	}
	return view, nil
}

// Value returns the whole value at a path of the message, such as OBX-5[1].2 of the
// segment with the index: as it was sent, in UTF-8, or with its escapes decoded. Without
// a path it is the segment, or the line of a message that cannot be parsed. The error is
// a *Problem, with the code no-value if the message does not reach that far.
func (c *Client) Value(ctx context.Context, id string, segment int, path string, decoded bool) (string, error) {
	query := url.Values{"segment": {strconv.Itoa(segment)}}
	if path != "" {
		query.Set("path", path)
	}
	if decoded {
		query.Set("form", "text")
	}
	body, err := c.get(ctx, "messages/"+url.PathEscape(id)+"/value?"+query.Encode())
	return string(body), err
}
