// corepeer answers questions about the parts of NATS' libraries that no whole token shows: a JSON object a line on
// standard input, one for each on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"nkey-agent-tests/internal/template"
)

// question names what is asked; each kind uses some of the members.
type question struct {
	Ask string `json:"ask"`

	// subject: what is wrong with A, and with A as the local subject of an import of B.
	A string `json:"a"`
	B string `json:"b"`

	// hash: the activation's name.
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`

	// revoke: Steps are put into an empty list one after the other; then each key is asked for at each time.
	Steps []step   `json:"steps"`
	Keys  []string `json:"keys"`
	Times []int64  `json:"times"`

	// seal, open: Data is base64.
	Seed string `json:"seed"`
	Peer string `json:"peer"`
	Data []byte `json:"data"`

	// creds: the token and the key in Data. decorate: Data is a seed.

	// scoped: the limits of a user of the scope.
	Template    json.RawMessage `json:"template"`
	Name        string          `json:"name"`
	Tags        []string        `json:"tags"`
	Account     string          `json:"account"`
	AccountName string          `json:"account_name"`
	AccountTags []string        `json:"account_tags"`
}

type step struct {
	Key string `json:"key"`
	At  int64  `json:"at"`
}

type answer struct {
	Error string `json:"error,omitempty"`

	Faults    []string `json:"faults,omitempty"`
	Renaming  []string `json:"renaming,omitempty"`
	Local     string   `json:"local,omitempty"`
	Wildcards bool     `json:"wildcards,omitempty"`
	Contained bool     `json:"contained,omitempty"`

	// Hash is an activation's name, or the public key of the seed in creds.
	Hash string `json:"hash,omitempty"`

	List    jwt.RevocationList `json:"list,omitempty"`
	Revoked []bool             `json:"revoked,omitempty"`
	Removed []step             `json:"removed,omitempty"`
	Compact jwt.RevocationList `json:"compact,omitempty"`

	Data []byte `json:"data,omitempty"`

	Limits string `json:"limits,omitempty"`
}

func reply(q question) (answer, error) {
	switch q.Ask {
	case "subject":
		return subject(jwt.Subject(q.A), jwt.Subject(q.B)), nil
	case "hash":
		claims := jwt.ActivationClaims{}
		claims.Issuer, claims.Subject, claims.ImportSubject = q.Issuer, q.Subject, jwt.Subject(q.A)
		hash, err := claims.HashID()
		return answer{Hash: hash}, err
	case "revoke":
		return revoke(q), nil
	case "seal", "open":
		pair, err := nkeys.FromCurveSeed([]byte(q.Seed))
		if err != nil {
			return answer{}, err
		}
		work := pair.Seal
		if q.Ask == "open" {
			work = pair.Open
		}
		data, err := work(q.Data, q.Peer)
		return answer{Data: data}, err
	case "creds":
		return creds(q.Data), nil
	case "decorate":
		data, err := jwt.DecorateSeed(q.Data)
		return answer{Data: data}, err
	case "scoped":
		return scoped(q)
	}
	return answer{}, errors.New("nobody asks " + q.Ask)
}

func subject(a, b jwt.Subject) answer {
	texts := func(validate func(*jwt.ValidationResults)) (list []string) {
		results := jwt.CreateValidationResults()
		validate(results)
		for _, issue := range results.Issues {
			list = append(list, issue.Description)
		}
		return list
	}
	return answer{
		Faults:    texts(a.Validate),
		Renaming:  texts(func(results *jwt.ValidationResults) { jwt.RenamingSubject(a).Validate(b, results) }),
		Local:     string(jwt.RenamingSubject(a).ToSubject()),
		Wildcards: a.HasWildCards(),
		Contained: a.IsContainedIn(b),
	}
}

func revoke(q question) answer {
	list := jwt.RevocationList{}
	for _, step := range q.Steps {
		list.Revoke(step.Key, time.Unix(step.At, 0))
	}
	made := answer{List: jwt.RevocationList{}, Compact: list}
	for key, at := range list {
		made.List[key] = at
	}
	for _, key := range q.Keys {
		for _, at := range q.Times {
			made.Revoked = append(made.Revoked, list.IsRevoked(key, time.Unix(at, 0)))
		}
	}
	for _, entry := range list.MaybeCompact() {
		made.Removed = append(made.Removed, step{entry.PublicKey, entry.TimeStamp})
	}
	sort.Slice(made.Removed, func(i, j int) bool { return made.Removed[i].Key < made.Removed[j].Key })
	return made
}

func creds(text []byte) answer {
	token, err := jwt.ParseDecoratedJWT(text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	made := answer{Data: []byte(token)}
	if pair, err := jwt.ParseDecoratedNKey(text); err == nil {
		made.Hash, _ = pair.PublicKey()
	}
	return made
}

func scoped(q question) (answer, error) {
	limits := jwt.NewUserScope().Template
	if err := json.Unmarshal(q.Template, &limits); err != nil {
		return answer{}, err
	}
	user := jwt.NewUserClaims(q.Subject)
	user.Name, user.Tags, user.IssuerAccount = q.Name, q.Tags, q.Account
	made, err := template.Process(limits, user, template.NewAccount(q.AccountName, q.AccountTags))
	if err != nil {
		return answer{}, err
	}
	text, err := json.Marshal(made)
	return answer{Limits: string(text)}, err
}

func run() error {
	lines := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	questions := json.NewDecoder(lines)
	for questions.More() {
		var q question
		if err := questions.Decode(&q); err != nil {
			return err
		}
		made, err := reply(q)
		if err != nil {
			made = answer{Error: err.Error()}
		}
		if err := answers.Encode(made); err != nil {
			return err
		}
	}
	return out.Flush()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "corepeer:", err)
		os.Exit(1)
	}
}
