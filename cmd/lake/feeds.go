package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

func (p *program) feedsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feeds",
		Short: "Show how regularly institutions send, and who is silent",
		Long: `feeds shows of each institution whose messages you may see when it sent last, its
messages in each of the last 24 hours, and how many it usually sends in an hour at
this time of the day, by the last 7 days. It is silent if nothing came for ten times
the usual distance of two messages, but for 10 minutes at least. Counts of more than
250 messages in half an hour are estimated, as ~620/h.
` + exitCodes,
		Example: `  lake feeds
  lake feeds --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.feeds(cmd.Context()) },
	}
	p.userFlags(cmd)
	return cmd
}

func (p *program) feeds(ctx context.Context) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	feeds, err := lake.Feeds(ctx)
	if err != nil {
		return err
	}
	if p.json {
		return p.object(feeds)
	}
	const format, hang = "%-16s  %-19s  %-24s  %8s  %s", 4
	if err := p.row(hang, "%s", p.out.Styled(term.Dim, fmt.Sprintf(format, "OWNER", "LAST", "24 HOURS", "USUALLY", ""))); err != nil {
		return err
	}
	for _, f := range feeds.Feeds {
		last, silent := "never", ""
		if !f.Last.IsZero() {
			last = f.Last.UTC().Format(time.DateTime)
		}
		if f.Silent {
			silent = p.out.Styled(term.Bad, "silent")
		}
		if err := p.row(hang, format, f.Owner, last, sparkline(f.Hours), usualRate(f.Usual), silent); err != nil {
			return err
		}
	}
	return nil
}

// usualRate writes a rate such as ~51/h; "" if it is not known.
func usualRate(u *client.Usual) string {
	switch {
	case u == nil:
		return ""
	case u.About:
		return fmt.Sprintf("~%.0f/h", u.PerHour)
	case u.PerHour < 10:
		return fmt.Sprintf("%.1f/h", u.PerHour)
	}
	return fmt.Sprintf("%.0f/h", u.PerHour)
}

// sparkline draws the counts of hours as bars, the highest count as the highest bar. An
// hour without messages is a dot.
func sparkline(hours []client.Hour) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	most := 0
	for _, h := range hours {
		most = max(most, h.Count)
	}
	var line []rune
	for _, h := range hours {
		if h.Count == 0 {
			line = append(line, '·')
			continue
		}
		line = append(line, bars[(h.Count*len(bars)-1)/most])
	}
	return string(line)
}
