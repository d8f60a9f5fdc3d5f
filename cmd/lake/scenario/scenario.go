// Package scenario is the lake's main work as a play with three users: one who may read,
// write and operate for an institution, one who may only read, one who may only write. They send
// messages, find out who may, and follow each message until it is JSON or an error. One
// message comes from an engine, over MLLP. `lake demo` shows the play. The end-to-end
// tests check the lake with it.
package scenario

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
)

// Institution is the institution whose messages are sent.
const Institution = "st-elsewhere"

// patience is how long a message may take to become JSON or an error.
const patience = 30 * time.Second

// inFlight is how many messages are posted at once. Each makes the lake start functions,
// so more would take longer on a small machine.
const inFlight = 2

// Users are the users in the play, in the order in which they appear.
func Users() []client.User {
	return []client.User{
		{Email: "both@" + Institution + ".example", Read: client.Institutions{Institution}, Write: Institution, Operate: Institution},
		{Email: "reader@" + Institution + ".example", Read: client.Institutions{Institution}},
		{Email: "writer@" + Institution + ".example", Write: Institution},
	}
}

// Report is what happened.
type Report struct {
	Institution string        `json:"institution"`
	Users       []client.User `json:"users"`
	Posts       []Post        `json:"posts"`
	OverMLLP    OverMLLP      `json:"over_mllp"`
	Reads       []Read        `json:"reads"`
	Messages    []Message     `json:"messages"`
	// Differences are what was not as it should be, each a sentence. Empty means success.
	Differences []string      `json:"differences"`
	Took        time.Duration `json:"took_ns"`
}

// Staged is how many messages became JSON, and Failed how many ended as an error.
func (r Report) Staged() (staged, failed int) {
	for _, message := range r.Messages {
		switch message.History.Status {
		case client.Staged:
			staged++
		case client.Errored:
			failed++
		}
	}
	return staged, failed
}

// Progress is called with what is going on: a few words, and how far it is.
type Progress func(what string, done, total int)

// play is one run of the scenario.
type play struct {
	connection client.Connection
	progress   Progress
	password   string                    // of the first user, who may read and write
	both       *client.Client            // of the same
	clients    map[string]*client.Client // by e-mail address
	report     Report
}

// Run plays the scenario on a lake that has not seen it. The connection's credentials
// must be an administrator's. The scenario creates the users. An error means that it
// could not be played to its end; the report then holds what was seen so far.
func Run(ctx context.Context, connection client.Connection, progress Progress) (Report, error) {
	start := time.Now()
	p := &play{
		connection: connection,
		progress:   progress,
		clients:    map[string]*client.Client{},
		report:     Report{Institution: Institution, Users: Users(), Differences: []string{}},
	}
	err := p.perform(ctx)
	p.report.Took = time.Since(start)
	return p.report, err
}

func (p *play) perform(ctx context.Context) error {
	for _, act := range []func(context.Context) error{p.enter, p.postTheSame, p.postOthers, p.sendOverMLLP, p.follow, p.read} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enter creates the users. They sign in with their first request.
func (p *play) enter(ctx context.Context) error {
	pool, err := p.connection.Pool(nil)
	if err != nil {
		return err
	}
	for i, user := range p.report.Users {
		p.progress("creating users", i, len(p.report.Users))
		password := client.NewPassword()
		if err := pool.Add(ctx, user, password); err != nil {
			return err
		}
		lake, err := p.connection.Client(pool.SignIn(user.Email, password))
		if err != nil {
			return err
		}
		p.clients[user.Email] = lake
		if i == 0 {
			p.password = password
		}
	}
	p.both = p.clients[p.report.Users[0].Email]
	return nil
}

// differ records what was not as it should be.
func (p *play) differ(format string, arguments ...any) {
	p.report.Differences = append(p.report.Differences, fmt.Sprintf(format, arguments...))
}

// postOthers has the first user send the remaining samples.
func (p *play) postOthers(ctx context.Context) error {
	others := samples.Others()
	posts := make([]Post, len(others))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i, sample := range others {
		group.Go(func() (err error) {
			posts[i], err = post(ctx, p.both, p.report.Users[0], sample)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, post := range posts {
		post.Want = 201
		p.check(post)
		p.accepted(post, others[i])
	}
	return nil
}
