package cloudwatchlogs

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"hl7lake/local/wire"
)

// The limits of one answer. AWS's are 1 MB and 10,000 events (FilterLogEvents). How much
// is read for one answer is limited too, so an answer may hold no event and a token to go
// on with.
const (
	maxEvents = 10_000
	maxAnswer = 1 << 20
	maxRead   = 64 << 20
	maxLine   = 256 << 10 // the rest of a longer line is left out
)

type filterInput struct {
	LogGroupName        string   `json:"logGroupName"`
	LogGroupIdentifier  string   `json:"logGroupIdentifier"`
	LogStreamNames      []string `json:"logStreamNames"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
	StartTime           *int64   `json:"startTime"` // in milliseconds, as all times are
	EndTime             *int64   `json:"endTime"`
	FilterPattern       string   `json:"filterPattern"`
	NextToken           string   `json:"nextToken"`
	Limit               int      `json:"limit"`
}

type event struct {
	Stream        string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	ID            string `json:"eventId"`
}

type eventList struct {
	Events    []event `json:"events"`
	Searched  []any   `json:"searchedLogStreams"` // always empty (FilterLogEvents)
	NextToken string  `json:"nextToken,omitempty"`
}

func (s *Service) filterLogEvents(ctx context.Context, in *filterInput) (*eventList, error) {
	g, err := s.allowed(ctx, "FilterLogEvents", in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	matches, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	list := &eventList{Events: []event{}, Searched: []any{}}
	others := len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, stream)
	if others || !strings.HasPrefix(stream, in.LogStreamNamePrefix) || g.file == "" {
		return list, nil
	}
	file, err := os.Open(g.file)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil // the function has logged nothing yet
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	from, err := place(in.NextToken, file)
	if err != nil {
		return nil, err
	}
	return list, in.read(file, from, matches, list)
}

// position is where reading goes on, and the time of the line before.
type position struct {
	offset int64
	time   int64
}

// place returns the position that a token stands for; without a token it is the
// beginning.
func place(token string, file *os.File) (p position, err error) {
	if token == "" {
		info, err := file.Stat()
		if err != nil {
			return p, err
		}
		return position{time: info.ModTime().UnixMilli()}, nil
	}
	if _, err := fmt.Sscanf(token, "%d-%d", &p.offset, &p.time); err != nil || p.offset < 0 {
		return p, wire.Errorf("InvalidParameterException", "The specified nextToken is invalid.")
	}
	return p, nil
}

// read adds the events of complete lines to the list, in the order in which they were
// logged.
func (in *filterInput) read(file io.ReadSeeker, at position, matches pattern, list *eventList) error {
	if _, err := file.Seek(at.offset, io.SeekStart); err != nil {
		return err
	}
	limit := min(cmp.Or(max(in.Limit, 0), maxEvents), maxEvents)
	end, size := at.offset+maxRead, 0
	for reader := bufio.NewReaderSize(file, maxLine); ; {
		text, length, err := readLine(reader)
		if errors.Is(err, io.EOF) {
			return nil // a line without an end is still being written
		}
		if err != nil {
			return err
		}
		if len(list.Events) == limit || size+len(text) > maxAnswer && size > 0 || at.offset >= end {
			list.NextToken = fmt.Sprintf("%d-%d", at.offset, at.time)
			return nil
		}
		at.time = timeOf(text, at.time)
		late, early := in.EndTime != nil && at.time > *in.EndTime, in.StartTime != nil && at.time < *in.StartTime
		if len(text) > 0 && !late && !early && matches(text) {
			list.Events = append(list.Events, event{stream, at.time, string(text), at.time, fmt.Sprintf("%056d", at.offset)})
			size += len(text)
		}
		at.offset += int64(length)
	}
}

// readLine returns a line without its end, no longer than the reader's buffer, and its
// length in the file. The line is valid until the next one is read.
func readLine(reader *bufio.Reader) (text []byte, length int, err error) {
	text, err = reader.ReadSlice('\n')
	length = len(text)
	if errors.Is(err, bufio.ErrBufferFull) {
		text = bytes.Clone(text)
		for errors.Is(err, bufio.ErrBufferFull) {
			var more []byte
			more, err = reader.ReadSlice('\n')
			length += len(more)
		}
	}
	return bytes.TrimRight(text, "\r\n"), length, err
}

// timeOf returns when a line was logged, in milliseconds: what its JSON says, or else the
// time of the line before.
func timeOf(line []byte, before int64) int64 {
	var says struct {
		Timestamp string `json:"timestamp"`
		Time      string `json:"time"`
	}
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &says) != nil {
		return before
	}
	t, err := time.Parse(time.RFC3339Nano, cmp.Or(says.Timestamp, says.Time))
	if err != nil {
		return before
	}
	return t.UnixMilli()
}
