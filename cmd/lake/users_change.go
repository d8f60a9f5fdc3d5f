package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

// permissionFlags adds the flags that name what a command gives to a user or takes from
// them. Each text says what the flag's institution is.
func permissionFlags(cmd *cobra.Command, p *client.Permissions, read, write, operate string) {
	cmd.Flags().StringSliceVar(&p.Read, "read", nil, read)
	cmd.Flags().StringVar(&p.Write, "write", "", write)
	cmd.Flags().StringVar(&p.Operate, "operate", "", operate)
}

// institution is the form of an owner's name, which becomes part of the lake's
// keys.
var institution = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// checkPermissions refuses what names no institution, or one that cannot be.
func checkPermissions(cmd *cobra.Command, p client.Permissions) error {
	if len(p.Read) == 0 && p.Write == "" && p.Operate == "" {
		return usage(cmd, errors.New("no institution is named: give --read, --write or --operate"))
	}
	for _, name := range append(slices.Clip(p.Read), p.Write, p.Operate) {
		if name != "" && !institution.MatchString(name) {
			return usage(cmd, fmt.Errorf("%q is not a name of an institution: want up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first", name))
		}
	}
	return nil
}

func (p *program) usersGrant() *cobra.Command {
	var may client.Permissions
	cmd := &cobra.Command{
		Use:   "grant EMAIL",
		Short: "Let a user do more",
		Long: `grant adds to what a user may do: read the messages of up to four institutions,
send for one, and operate for one. The user's next token has it, which is the one after the
present token's end or after signing in again.`,
		Example: `  lake users grant analyst@example.org --read lakeside
  lake users grant analyst@example.org --read lakeside,general --write lakeside
  lake users grant night-shift@example.org --operate lakeside`,
		Args: exactly(1, "the e-mail address of one user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return p.changeUser(cmd, arguments[0], may, (*client.Pool).Grant, func(_ *client.Pool, user client.User) error {
				return p.tellUser(userChange{User: user})
			})
		},
	}
	permissionFlags(cmd, &may, "an `institution` whose messages the user may read, too", "the `institution` that the user may send for",
		"the `institution` that the user may operate for: see states and errors, replay, forget")
	return cmd
}

func (p *program) usersRevoke() *cobra.Command {
	var may client.Permissions
	cmd := &cobra.Command{
		Use:   "revoke EMAIL",
		Short: "Take a permission from a user",
		Long: `revoke takes permissions from a user, and says for how long those still work that
are in a token which was given out before. A user without any can sign in and do
nothing; disable ends that, too.`,
		Example: `  lake users revoke analyst@example.org --read lakeside
  lake users revoke engine@example.org --write st-elsewhere --json`,
		Args: exactly(1, "the e-mail address of one user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return p.changeUser(cmd, arguments[0], may, (*client.Pool).Revoke, func(pool *client.Pool, user client.User) error {
				return p.tellTaken(cmd.Context(), pool, user)
			})
		},
	}
	permissionFlags(cmd, &may, "an `institution` whose messages the user may no longer read", "the `institution` that the user may no longer send for",
		"the `institution` that the user may no longer operate for")
	return cmd
}

// changeUser gives permissions to a user or takes them, and tells what the user may do
// then.
func (p *program) changeUser(cmd *cobra.Command, email string, may client.Permissions,
	change func(pool *client.Pool, ctx context.Context, email string, may client.Permissions) (client.User, error),
	tell func(*client.Pool, client.User) error) error {
	if err := checkPermissions(cmd, may); err != nil {
		return err
	}
	pool, err := p.pool(cmd.Context())
	if err != nil {
		return err
	}
	user, err := change(pool, cmd.Context(), email, may)
	if err != nil {
		return err
	}
	return tell(pool, user)
}

func (p *program) usersDisable() *cobra.Command {
	return &cobra.Command{
		Use:   "disable EMAIL…",
		Short: "Keep users from signing in, and end their sessions",
		Long: `disable keeps users from signing in and ends their sessions: they get no new
tokens, and no new credentials for S3. What was given out before works until its
end, which the command tells. What they sent stays, and so do their permissions,
for enable.`,
		Example: `  lake users disable analyst@example.org`,
		Args:    atLeastOne("the e-mail address of a user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return p.eachUser(cmd.Context(), arguments, func(pool *client.Pool, email string) error {
				if err := pool.Disable(cmd.Context(), email); err != nil {
					return err
				}
				user, err := pool.Find(cmd.Context(), email)
				if err != nil {
					return err
				}
				return p.tellTaken(cmd.Context(), pool, user)
			})
		},
	}
}

func (p *program) usersEnable() *cobra.Command {
	return &cobra.Command{
		Use:     "enable EMAIL…",
		Short:   "Let users sign in again",
		Example: `  lake users enable analyst@example.org`,
		Args:    atLeastOne("the e-mail address of a user"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return p.eachUser(cmd.Context(), arguments, func(pool *client.Pool, email string) error {
				if err := pool.Enable(cmd.Context(), email); err != nil {
					return err
				}
				user, err := pool.Find(cmd.Context(), email)
				if err != nil {
					return err
				}
				return p.tellUser(userChange{User: user})
			})
		},
	}
}

func (p *program) eachUser(ctx context.Context, emails []string, do func(pool *client.Pool, email string) error) error {
	pool, err := p.pool(ctx)
	if err != nil {
		return err
	}
	for _, email := range emails {
		if err := do(pool, email); err != nil {
			return err
		}
	}
	return nil
}

// bucketHours is how long credentials of the identity pool work: the longest session of
// its role.
const bucketHours = 1

// userChange is what a user may do after a change.
type userChange struct {
	client.User
	// TokensEnd is for how many seconds a token that was given out before the change
	// still works at the API, and CredentialsEnd for how many credentials for S3 do. Both
	// are 0 where nothing was taken away.
	TokensEnd      int64 `json:"tokens_end_seconds,omitempty"`
	CredentialsEnd int64 `json:"credentials_end_seconds,omitempty"`
}

// tellTaken says what a user may still do from whom something was taken, and until when
// what they had works.
func (p *program) tellTaken(ctx context.Context, pool *client.Pool, user client.User) error {
	lifetime, err := pool.TokenLifetime(ctx)
	if err != nil {
		return err
	}
	return p.tellUser(userChange{user, int64(lifetime.Seconds()), bucketHours * 3600})
}

func (p *program) tellUser(c userChange) error {
	if p.json {
		return p.object(c)
	}
	what := fmt.Sprintf("%s %s.", c.Email, does(c.User))
	if c.Disabled {
		what = fmt.Sprintf("%s is disabled; enabled, the user %s.", c.Email, does(c.User))
	}
	if c.TokensEnd > 0 {
		what += fmt.Sprintf(" What was given out before still works: a token at the API for %s at most, credentials for S3 for %s at most.",
			minutes(time.Duration(c.TokensEnd)*time.Second), minutes(bucketHours*time.Hour))
	}
	_, err := fmt.Fprintln(p.out, term.Paragraph(what))
	return err
}

// does says what a user may do, as in "reads a, b and sends for b".
func does(user client.User) string {
	reads, sends := "nobody's messages", "nobody"
	if len(user.Read) > 0 {
		reads = strings.Join(user.Read, ", ")
	}
	if user.Write != "" {
		sends = user.Write
	}
	if user.Operate != "" {
		return fmt.Sprintf("reads %s, sends for %s and operates for %s", reads, sends, user.Operate)
	}
	return fmt.Sprintf("reads %s and sends for %s", reads, sends)
}

// minutes is a duration in whole minutes, as a person says it.
func minutes(d time.Duration) string {
	n := int(d.Round(time.Minute).Minutes())
	switch n {
	case 60:
		return "an hour"
	case 1:
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", n)
}
