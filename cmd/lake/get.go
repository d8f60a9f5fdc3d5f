package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) getCommand() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Bring a message back, as JSON or as it was sent",
		Long: `get writes the content of a message: its JSON (one line, as it lies in the
lake), with --er7 or --sent the bytes that were sent, or with --connector what the
connector of that name made of it (lake trace shows their names). On a terminal the JSON is indented
and ER7's segments stand on lines of their own; in a file or pipe no byte differs.
` + exitCodes,
		Example: `  lake get 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake get 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --er7 > message.hl7
  lake get 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --connector patients`,
		Args: exactly(1, "the id of one message"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if (o.er7 || o.sent) && p.json {
				return usage(cmd, errors.New("--json cannot be combined with --er7 or --sent"))
			}
			return p.get(cmd.Context(), strings.ToLower(strings.TrimSpace(arguments[0])), o)
		},
	}
	cmd.Flags().BoolVar(&o.er7, "er7", false, "the message as it was sent, if it is ER7")
	cmd.Flags().BoolVar(&o.sent, "sent", false, "the message as it was sent, whatever it is")
	cmd.Flags().StringVar(&o.connector, "connector", "", "what this `connector` made of it, such as staging-er7")
	cmd.MarkFlagsMutuallyExclusive("er7", "sent", "connector")
	p.userFlags(cmd)
	return cmd
}

// getOptions says which content of a message is wanted: without any of them its JSON.
type getOptions struct {
	er7, sent bool
	connector string
}

func (p *program) get(ctx context.Context, id string, o getOptions) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	fetch, show := lake.JSON, indented
	switch {
	case o.er7:
		fetch, show = lake.ER7, onLines
	case o.sent:
		fetch, show = lake.Content, onLines
	case o.connector != "":
		fetch = func(ctx context.Context, id string) ([]byte, error) { return lake.Result(ctx, id, o.connector) }
	}
	if err := p.rootOf(ctx, lake, id); err != nil {
		return err
	}
	content, err := fetch(ctx, id)
	if err != nil {
		return err
	}
	if !p.out.Live {
		_, err = p.out.Raw().Write(content)
		return err
	}
	_, err = p.out.Write(show(content))
	return err
}

func indented(content []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, content, "", "  ") != nil {
		return content
	}
	return out.Bytes()
}

// onLines ends segments as terminals need it. With a CR alone, each segment would
// overwrite the one before.
func onLines(content []byte) []byte {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	content = bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))
	return append(bytes.TrimRight(content, "\n"), '\n')
}
