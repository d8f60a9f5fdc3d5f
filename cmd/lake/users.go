package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

func (p *program) usersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Say who may read and send",
		Long: `users lists, adds, changes and removes the users of a lake. A user reads the
messages of up to four institutions (custom:read, custom:read2 …), sends for one
(custom:write), and operates for one (custom:operate): sees what became of its
messages, without their content, replays and forgets them. Against AWS the commands
need AWS credentials that may administer the user pool.
` + exitCodes,
		Example: `  lake users add engine@example.org --write st-elsewhere
  lake users add analyst@example.org --read st-elsewhere --password
  lake users grant analyst@example.org --read lakeside
  lake users disable analyst@example.org
  lake users list --outputs outputs.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p.placeFlags(cmd)
	cmd.AddCommand(p.usersList(), p.usersAdd(), p.usersGrant(), p.usersRevoke(), p.usersDisable(), p.usersEnable(), p.usersPassword(), p.usersRemove())
	return cmd
}

func (p *program) usersList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the users",
		Example: `  lake users list`,
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			pool, err := p.pool(cmd.Context())
			if err != nil {
				return err
			}
			users, err := pool.List(cmd.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.object(users)
			}
			table := term.NewTable("USER", "WHAT THE USER DOES", "STATUS")
			for _, user := range users {
				status := term.Cell{Text: user.Status, Style: term.Dim}
				if user.Disabled {
					status = term.Cell{Text: "disabled", Style: term.Note}
				}
				table.Row(term.Text(user.Email), term.Text(does(user)), status)
			}
			return table.Write(p.out)
		},
	}
}

func (p *program) usersAdd() *cobra.Command {
	var user client.User
	var may client.Permissions
	var ask bool
	cmd := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Add a user",
		Long: `add makes a user who can sign in at once. No mail is sent: the password that is
made up for the user is written out, once. With --password you choose it, at a
prompt or on standard input.`,
		Example: `  lake users add engine@example.org --write st-elsewhere`,
		Args:    exactly(1, "the e-mail address of one user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			user.Email = arguments[0]
			if err := checkPermissions(cmd, may); err != nil {
				return err
			}
			user.Read, user.Write, user.Operate = may.Read, may.Write, may.Operate
			pool, err := p.pool(cmd.Context())
			if err != nil {
				return err
			}
			return p.withPassword(user.Email, ask, func(password string) error { return pool.Add(cmd.Context(), user, password) })
		},
	}
	permissionFlags(cmd, &may, "the `institution` whose messages the user may read; up to four", "the `institution` that the user may send for",
		"the `institution` that the user may operate for: see states and errors, replay, forget")
	cmd.Flags().BoolVar(&ask, "password", false, "choose the password, at a prompt or on standard input")
	return cmd
}

func (p *program) usersPassword() *cobra.Command {
	var ask bool
	cmd := &cobra.Command{
		Use:   "passwd EMAIL",
		Short: "Give a user a new password",
		Example: `  lake users passwd engine@example.org
  lake users passwd engine@example.org --password < password.txt`,
		Args: exactly(1, "the e-mail address of one user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			pool, err := p.pool(cmd.Context())
			if err != nil {
				return err
			}
			return p.withPassword(arguments[0], ask, func(password string) error {
				return pool.SetPassword(cmd.Context(), arguments[0], password)
			})
		},
	}
	cmd.Flags().BoolVar(&ask, "password", false, "choose the password, at a prompt or on standard input")
	return cmd
}

// withPassword calls use with a password, which is given or made up, and shows one that
// was made up.
func (p *program) withPassword(email string, ask bool, use func(password string) error) error {
	if ask {
		password, err := p.askPassword("Password for " + email)
		if err != nil {
			return err
		}
		return use(password)
	}
	password := client.NewPassword()
	if err := use(password); err != nil {
		return err
	}
	if p.json {
		return p.object(client.Account{User: client.User{Email: email}, Password: password})
	}
	p.note(fmt.Sprintf("The password of %s, shown this once:", email))
	_, err := fmt.Fprintln(p.out, password)
	return err
}

func (p *program) usersRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove EMAIL…",
		Short:   "Remove users; what they sent stays",
		Example: `  lake users remove engine@example.org`,
		Args:    atLeastOne("the e-mail address of a user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			pool, err := p.pool(cmd.Context())
			if err != nil {
				return err
			}
			for _, email := range arguments {
				if err := pool.Remove(cmd.Context(), email); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
