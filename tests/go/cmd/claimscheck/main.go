// claimscheck says what nats-io/jwt reads in tokens: a token a line on standard input, a JSON line
// for each on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/nats-io/jwt/v2"

	"nkey-agent-tests/internal/findings"
)

// answer is what Go says of one token.
type answer struct {
	// Error is why it was not decoded.
	Error string `json:"error,omitempty"`
	// Claims is what was decoded, encoded again.
	Claims string `json:"claims,omitempty"`
	// Templates are the limits in the scopes of signing keys: encoded again, a 0 is left out and would read as -1.
	Templates map[string][3]int64 `json:"templates,omitempty"`
	// Findings is what Validate says.
	Findings []findings.Finding `json:"findings"`
}

func check(token string) answer {
	claims, err := decode(token)
	if err != nil {
		return answer{Error: err.Error()}
	}
	again, err := json.Marshal(claims)
	if err != nil {
		return answer{Error: "encoding again: " + err.Error(), Findings: findings.Of(claims)}
	}
	return answer{Claims: string(again), Templates: templates(claims), Findings: findings.Of(claims)}
}

func templates(claims jwt.Claims) map[string][3]int64 {
	account, ok := claims.(*jwt.AccountClaims)
	if !ok {
		return nil
	}
	all := map[string][3]int64{}
	for key, scope := range account.SigningKeys {
		if scope, ok := scope.(*jwt.UserScope); ok {
			limits := scope.Template.NatsLimits
			all[key] = [3]int64{limits.Subs, limits.Data, limits.Payload}
		}
	}
	return all
}

// decode is jwt.Decode, and jwt.DecodeGeneric for generic claims: Decode would apply the rule of
// version 1 to their signature.
func decode(token string) (jwt.Claims, error) {
	claims, err := jwt.Decode(token)
	if err != nil && strings.Contains(err.Error(), "V1 signature") {
		generic, second := jwt.DecodeGeneric(token)
		if second == nil && jwt.IsGenericClaimType(string(generic.ClaimType())) {
			return generic, nil
		}
	}
	return claims, err
}

func run() error {
	lines := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			if err := answers.Encode(check(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		// Whoever asks one by one waits for the answer.
		if lines.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "claimscheck:", err)
		os.Exit(1)
	}
}
