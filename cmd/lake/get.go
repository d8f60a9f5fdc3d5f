package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

func (l *lake) getCommand() *cobra.Command {
	var er7 bool
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Bring a message back, as JSON or as it was sent",
		Long: `get writes the content of a message: its JSON (one line, as it lies in the
lake), or with --er7 the bytes that were sent. On a terminal the JSON is indented
and ER7's segments stand on lines of their own; in a file or pipe no byte differs.
` + exitCodes,
		Example: `  lake get 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake get 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --er7 > message.hl7`,
		Args: exactly(1, "the id of one message"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if er7 && l.json {
				return usage(cmd, errors.New("--er7 and --json are two things"))
			}
			return l.get(cmd.Context(), strings.ToLower(strings.TrimSpace(arguments[0])), er7)
		},
	}
	cmd.Flags().BoolVar(&er7, "er7", false, "the message as it was sent")
	l.userFlags(cmd)
	return cmd
}

func (l *lake) get(ctx context.Context, id string, er7 bool) error {
	lake, err := l.client()
	if err != nil {
		return err
	}
	fetch, show := lake.JSON, indented
	if er7 {
		fetch, show = lake.ER7, onLines
	}
	content, err := fetch(ctx, id)
	if err != nil {
		return ofDerived(id, err)
	}
	if !l.out.Live {
		_, err = l.out.Raw().Write(content)
		return err
	}
	_, err = l.out.Write(show(content))
	return err
}

func indented(content []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, content, "", "  ") != nil {
		return content
	}
	return out.Bytes()
}

// onLines ends segments as terminals do. A CR alone would have each segment
// written over the one before.
func onLines(content []byte) []byte {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))
	return append(bytes.TrimRight(content, "\n"), '\n')
}
