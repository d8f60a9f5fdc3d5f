package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
)

type sendOptions struct {
	protocol string // with format: what the files are; both empty for ER7
	format   string
	charset  string
	parallel int
	split    bool
	whole    bool          // also what is not one message
	resume   bool          // by a journal beside the files
	wait     time.Duration // for each message to end; 0 means not at all
	mllp     mllpOptions
}

func (p *program) sendCommand() *cobra.Command {
	var o sendOptions
	var as string
	cmd := &cobra.Command{
		Use:   "send FILE|FOLDER|-…",
		Short: "Post messages",
		Long: `send posts each file as one message, byte for byte; - is standard input, a
folder stands for the files in it and in those that it links to. Files that are
compressed with gzip, and those in a zip archive, are posted as what they hold.

A file that is not one message is not sent, and told: text or a picture, in which
there is none (--whole posts it all the same), or a batch. --split takes batches and
captures apart. Then what is in no message is skipped, and told with its place, and a
message is not sent where it is not certain that it is whole: the header behind it
cannot be read, or its MLLP frame has no end.

A line a message tells what the lake answered:
201 accepted, 409 a duplicate (with the id of the first one), or why it was refused;
with --wait, also what became of it. A lake that is busy (503) is asked again after
the time that it names, up to six times, and so is one whose connection broke;
sending the same again is harmless, since the lake knows a message by its content.

--mllp sends over MLLP instead, to lake edge or to any other receiver, and tells what
was acknowledged: AA or CA, or AE with the reason. A connection that breaks and an
acknowledgment that does not come are tried again, up to six times.

After the first hundred, answers are counted and errors grouped; --json has them all.
A call that is interrupted, or loses its lake, leaves a journal of what was sent beside
the files, in a name that begins with a dot: --resume goes on there, keeps it up to
date in case it is killed, and removes it when all is sent.

The exit status is 0 when every message is in the lake, accepted now or before,
nothing of a file was skipped and, with --wait, each became JSON.
` + exitCodes,
		Example: `  lake send adt-a01.hl7
  lake send --wait --charset iso-8859-1 export/
  lake send --split --parallel 16 night-batch.hl7.gz
  lake send --resume -p 16 archive-2025/
  lake send --as x12/edi claims/
  lake send --mllp 127.0.0.1:2575 -p 1 archive-2025/
  printf 'MSH|^~\\&|APP\r' | lake send -`,
		Args: atLeastOne("a file to send"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if o.parallel < 1 {
				return usage(cmd, fmt.Errorf("--parallel %d: want 1 or more", o.parallel))
			}
			if as != "" {
				var ok bool
				if o.protocol, o.format, ok = strings.Cut(as, "/"); !ok || o.protocol == "" || o.format == "" {
					return usage(cmd, fmt.Errorf("--as %q: want a protocol and a format, as x12/edi", as))
				}
				o.whole = true
			}
			if o.mllp.address != "" {
				return p.sendOverMLLP(cmd.Context(), arguments, o)
			}
			lake, err := p.client()
			if err != nil {
				return err
			}
			key, err := p.senderKey()
			if err != nil {
				return err
			}
			post := func(ctx context.Context, body []byte, done *sent) (err error) {
				done.Receipt, err = lake.Send(ctx, client.Message{Protocol: o.protocol, Format: o.format, Body: body, Charset: o.charset})
				return err
			}
			return p.send(cmd.Context(), &sending{program: p, to: lake, post: post, o: o}, key+as, arguments)
		},
	}
	cmd.Flags().StringVar(&o.charset, "charset", "", "declare this `charset`, as utf-8 or iso-8859-1")
	cmd.Flags().IntVarP(&o.parallel, "parallel", "p", 4, "requests in flight")
	cmd.Flags().BoolVar(&o.split, "split", false, "take files of several messages apart (batches, MLLP captures)")
	cmd.Flags().BoolVar(&o.whole, "whole", false, "post files that are not one message, too")
	waitFlag(cmd, &o.wait, "wait for what becomes of each message, at most this long")
	cmd.Flags().BoolVar(&o.resume, "resume", false, "go on where an earlier call ended, by a journal beside the files")
	cmd.Flags().StringVar(&as, "as", "", "post files that are no HL7 as this `protocol/format`, such as x12/edi")
	cmd.MarkFlagsMutuallyExclusive("split", "whole", "as")
	p.userFlags(cmd)
	o.mllp.flags(cmd)
	return cmd
}
