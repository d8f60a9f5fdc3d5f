package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/iam"
	"hl7lake/local/store"
)

func (p *program) upCommand() *cobra.Command {
	var o local.Options
	var port int
	var verbose, report bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a lake on this machine until Ctrl-C",
		Long: `up runs a lake on this machine and keeps it in a folder: what was accepted is
there again the next time. It makes three users and leaves in the folder what
send, get, trace, users, token and env need, in connection.json, readable by you
alone. Delete the folder to start afresh.

The tables, which sql asks, have a message some seconds after it was accepted. With
--report they are written each hour only, as on AWS.
` + exitCodes,
		Example: `  lake up
  lake up --port 8080 --dir /srv/lake
  npx cdk synth -c env=dev && lake up --assembly cdk.out`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if port < 0 || port > math.MaxUint16 {
				return usage(cmd, fmt.Errorf("--port %d: want 0 to %d", port, math.MaxUint16))
			}
			o.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			o.Durability = store.Durable
			o.Log = p.logTo(verbose)
			return p.up(cmd.Context(), o, report, verbose)
		},
	}
	cmd.Flags().IntVar(&port, "port", 4000, "listen on this port of 127.0.0.1; 0 takes a free one")
	cmd.Flags().StringVar(&o.Dir, "dir", defaultDir, "keep the lake in this `folder`")
	cmd.Flags().StringVar(&o.Assembly, "assembly", "", "run the templates in this `folder`, as cdk.out; else the committed ones of dev")
	cmd.Flags().IntVar(&o.EventsPerInstance, "events-per-instance", 1,
		"let an instance of a function handle so many events at once, as Lambda Managed Instances do: quicker under load")
	cmd.Flags().BoolVar(&report, "report", false, "at the end, say what AWS would have charged and which grants nothing needed")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show what the lake's services and functions log")
	return cmd
}

func (p *program) up(ctx context.Context, o local.Options, report, verbose bool) (err error) {
	running, connection, err := p.start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	path := filepath.Join(o.Dir, connectionFile)
	if connection.Users, err = accounts(ctx, connection, path); err != nil {
		return err
	}
	if err := connection.Write(path); err != nil {
		return err
	}
	if p.json {
		err = p.object(struct {
			Connection string          `json:"connection"`
			Endpoint   string          `json:"endpoint"`
			Console    string          `json:"console,omitempty"`
			NotRun     []local.LeftOut `json:"not_run"`
		}{path, connection.Endpoint, consoleOf(connection), running.NotRun()})
	} else {
		err = p.welcome(connection, path, o.Dir, running.NotRun())
	}
	if err != nil {
		return err
	}
	if verbose {
		stop := p.showLogs(ctx, o.Dir)
		defer stop()
	}
	if !report { // which is what AWS would charge, where the tables are made each hour
		stop, err := p.keepTables(ctx, running, connection, o.Log)
		if err != nil {
			return err
		}
		defer stop()
	}
	if err := running.Wait(ctx); err != nil {
		return err
	}
	p.note("\nstopped; what was accepted is kept in " + o.Dir)
	if report {
		return p.closingReport(running)
	}
	return nil
}

// closingReport says what the lake's work would have cost on AWS, and which of the
// templates' grants no call needed.
func (p *program) closingReport(running *local.Lake) error {
	costs, err := running.Bill()
	if err != nil {
		return err
	}
	if p.json {
		return p.object(struct {
			Bill         bill.Bill   `json:"bill"`
			UnusedGrants []iam.Grant `json:"unused_grants"`
		}{costs, running.UnusedGrants()})
	}
	title := "What AWS would have charged\n(docs/bill.md says what is counted and what is estimated):"
	if messages := costs.Quantity(bill.StatesRequest); messages > 0 {
		title = fmt.Sprintf("What AWS would charge for a million such messages, by the %.0f that were staged\n(docs/bill.md says what is counted and what is estimated):", messages)
		costs = costs.Times(1e6 / messages)
	}
	fmt.Fprintf(p.out, "\n%s\n\n", p.out.Folded(p.out.Styled(term.Bold, title), 0))
	if err := billTable(costs).Write(p.out); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "\n%s\n", term.Paragraph(billNote(costs)))
	fmt.Fprintf(p.out, "\n%s\n\n", p.out.Styled(term.Bold, "Grants that no call has needed:"))
	p.writeGrants(running.UnusedGrants())
	return nil
}

// billNote says why a bill is not the README's.
func billNote(costs bill.Bill) string {
	const day, million = 24 * 60 * 60, 1e6
	return fmt.Sprintf("Prices are those of %s on %s. The README's figures are of a million messages of 2 KB within a day. "+
		"Of those, X-Ray records %.0f %% of the traces; here all are counted. Of few messages, of larger ones, or with reads and refusals "+
		"among them, a message costs more, as what runs all the time is shared by fewer.",
		costs.Region, costs.Date, 100*bill.Sampling(million/day))
}

// writeGrants lists grants by their roles.
func (p *program) writeGrants(grants []iam.Grant) {
	const indent, room = "      ", 80 - 6
	role := ""
	for _, grant := range grants {
		if grant.Role != role {
			role = grant.Role
			fmt.Fprintln(p.out, " ", role)
		}
		fmt.Fprintln(p.out, "   ", grant.Action)
		fmt.Fprintln(p.out, indent+strings.Join(term.Fold(grant.Resource, room), "\n"+indent))
	}
}

// billTable has a row for each thing that has a price, and the total.
func billTable(costs bill.Bill) *term.Table {
	table := term.NewTable("SERVICE", "WHAT", ">QUANTITY", ">USD")
	for _, line := range costs.Lines {
		what := line.Unit
		if line.Detail != "" {
			what += ": " + line.Detail
		}
		table.Row(term.Text(line.Service), term.Text(what), term.Text(strconv.FormatFloat(line.Quantity, 'f', 0, 64)), term.Text(fmt.Sprintf("%.4f", line.USD)))
	}
	table.Row(term.Cell{Text: "total", Style: term.Bold}, term.Text(""), term.Text(""), term.Cell{Text: fmt.Sprintf("%.4f", costs.USD()), Style: term.Bold})
	return table
}

// accounts creates the users, with the passwords that the last start gave them.
func accounts(ctx context.Context, connection client.Connection, path string) ([]client.Account, error) {
	earlier, err := client.ReadConnection(path)
	if err != nil && !missing(err) {
		return nil, err
	}
	pool, err := connection.Pool(nil)
	if err != nil {
		return nil, err
	}
	var all []client.Account
	for _, user := range scenario.Users() {
		account, known := earlier.Account(user.Email)
		if !known {
			account = client.Account{User: user, Password: client.NewPassword()}
		}
		err := pool.Add(ctx, user, account.Password)
		if errors.Is(err, client.ErrUserExists) {
			if err = pool.SetPassword(ctx, user.Email, account.Password); err == nil {
				account.User, err = pool.Find(ctx, user.Email) // an administrator may have changed what the user may do
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, account)
	}
	return all, nil
}

// consoleOf returns the address of the lake's page for people; empty if its templates
// have none.
func consoleOf(connection client.Connection) string {
	address, err := connection.Outputs.Get(client.OutputConsole)
	if err != nil {
		return ""
	}
	return address
}

// welcome says how to use the lake. Its commands work when they are pasted.
func (p *program) welcome(connection client.Connection, path, dir string, notRun []local.LeftOut) error {
	api, err := connection.Outputs.Get(client.OutputAPI)
	if err != nil {
		return err
	}
	bucket, err := connection.Outputs.Get(client.OutputLake)
	if err != nil {
		return err
	}
	api = strings.TrimSuffix(api, "/")
	command, where := p.name, ""
	if dir != defaultDir {
		where = " --dir " + quote(dir)
	}
	var out bytes.Buffer
	page := p.out
	page.Writer = &out
	heading := func(text string) { fmt.Fprintf(&out, "\n%s\n\n", page.Folded(page.Styled(term.Bold, text), 0)) }

	fmt.Fprintf(&out, "%s\n%s\n", page.Styled(term.Good, "The lake is up: "+api), page.Folded("Kept in "+dir+"; Ctrl-C stops it.", 0))
	if address := consoleOf(connection); address != "" {
		heading("Look at it in a browser, as one of its users:")
		fmt.Fprintf(&out, "  %s\n", address)
	}
	heading("Users of " + scenario.Institution + ", whose passwords are in " + path + ":")
	users := term.NewTable("USER", "MAY")
	for _, account := range connection.Users {
		users.Row(term.Text(account.Email), term.Text(rights(account.User)))
	}
	if err := users.Write(page); err != nil {
		return err
	}
	heading("Post a message from another terminal, with curl or with lake, and follow it:")
	fmt.Fprintf(&out, "  curl -i -H \"Authorization: Bearer $(%s token%s)\" \\\n    -H 'Content-Type: application/hl7-v2' %s/er7 \\\n", command, where, api)
	fmt.Fprintf(&out, "    --data-binary $'MSH|^~\\\\&|APP|HERE|||2026||ADT^A01|1|T|2.5\\r'\\\n$'PID|1||1^^^HERE||Sample^Sue\\r'\n\n")
	fmt.Fprintf(&out, "  %s send%s cmd/lake/samples/messages\n  %[1]s trace%[2]s ID --wait\n  %[1]s get%[2]s ID\n", command, where)
	heading("Look inside with the AWS CLI:")
	fmt.Fprintf(&out, "  eval \"$(%s env%s)\"\n  aws s3 ls --recursive s3://%s\n", command, where, bucket)
	if err := writeNotRun(page, notRun); err != nil {
		return err
	}
	_, err = out.WriteTo(p.out)
	return err
}

// writeNotRun says what the local lake does not run and why, by type; --json names each
// resource and property.
func writeNotRun(s term.Screen, notRun []local.LeftOut) error {
	if len(notRun) == 0 {
		return nil
	}
	type kind struct{ resourceType, reason string }
	resources, properties := map[kind]int{}, map[kind]bool{}
	for _, o := range notRun {
		if o.Property == "" {
			resources[kind{o.Type, o.Reason}]++
		} else {
			properties[kind{o.Type, o.Property}] = true
		}
	}
	kinds := slices.SortedFunc(maps.Keys(resources), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.resourceType, b.resourceType), cmp.Compare(a.reason, b.reason))
	})
	fmt.Fprintf(s, "\n%s\n\n", s.Styled(term.Bold, "In the templates, but not run here:"))
	table := term.NewTable("TYPE", ">NUMBER", "WHY")
	for _, k := range kinds {
		table.Row(term.Text(k.resourceType), term.Text(strconv.Itoa(resources[k])), term.Text(k.reason))
	}
	if err := table.Write(s); err != nil {
		return err
	}
	fmt.Fprintf(s, "\n  Properties of others that are ignored: %d; --json names each, with the reason.\n", len(properties))
	return nil
}

// quote returns text as a word that a shell reads back unchanged.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
