// claimsgen makes random claims with nats-io/jwt and signs them: a JSON line for each on standard output.
//
// claimsgen -n COUNT -seed SEED [TYPE]...
// A type with "v1:" before it is made by the library of version 1 and read by that of version 2.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"nkey-agent-tests/internal/findings"
)

// line is one token and what Go says of it.
type line struct {
	Type string `json:"type"`
	// Seed is that of the key that signed.
	Seed  string `json:"seed"`
	Token string `json:"token"`
	// Made is what Validate says of the claims that were signed, Read of those decoded from the token.
	Made []findings.Finding `json:"made"`
	Read []findings.Finding `json:"read"`
	// Again is what was decoded, encoded again.
	Again string `json:"again"`
}

var types = []string{
	"operator", "account", "user", "activation", "authorization_request", "authorization_response", "generic",
	"v1:operator", "v1:account", "v1:user", "v1:activation",
}

func one(g *gen, kind string) (line, error) {
	if old, ok := strings.CutPrefix(kind, "v1:"); ok {
		return oneOld(g, old)
	}
	claims, issuer := g.claims(kind)
	seed, err := issuer.Seed()
	if err != nil {
		return line{}, err
	}
	token, err := claims.Encode(issuer)
	if err != nil {
		return line{}, fmt.Errorf("%s: %w", kind, err)
	}
	made := findings.Of(claims)
	read, err := decode(kind, token)
	if err != nil {
		return line{}, fmt.Errorf("%s: %w in %s", kind, err, claims)
	}
	again, err := json.Marshal(read)
	if err != nil {
		return line{}, err
	}
	return line{kind, string(seed), token, made, findings.Of(read), string(again)}, nil
}

// oneOld makes a token of version 1, whose claims only version 2 validates.
func oneOld(g *gen, kind string) (line, error) {
	claims, issuer := g.oldClaims(kind)
	token, err := claims.Encode(issuer)
	if err != nil {
		return line{}, fmt.Errorf("version 1 %s: %w", kind, err)
	}
	read, err := jwt.Decode(token)
	if err != nil {
		return line{}, fmt.Errorf("version 1 %s: %w in %s", kind, err, claims)
	}
	again, err := json.Marshal(read)
	if err != nil {
		return line{}, err
	}
	return line{Type: kind, Token: token, Made: []findings.Finding{}, Read: findings.Of(read), Again: string(again)}, nil
}

func decode(kind, token string) (jwt.Claims, error) {
	if kind == "generic" {
		return jwt.DecodeGeneric(token)
	}
	return jwt.Decode(token)
}

func run() error {
	count := flag.Int("n", 10, "claims of each type")
	seed := flag.Uint64("seed", 1, "seed of the random claims")
	flag.Parse()
	kinds := flag.Args()
	if len(kinds) == 0 {
		kinds = types
	}
	g := newGen(rand.New(rand.NewPCG(*seed, 0)))
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	for range *count {
		for _, kind := range kinds {
			made, err := one(g, kind)
			if err != nil {
				return fmt.Errorf("seed %d: %w", *seed, err)
			}
			if err := lines.Encode(made); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "claimsgen:", err)
		os.Exit(1)
	}
}

// key makes a key pair of the generator's random bytes.
func (g *gen) key(prefix nkeys.PrefixByte) nkeys.KeyPair {
	var raw [32]byte
	for i := range raw {
		raw[i] = byte(g.Uint32())
	}
	seed, err := nkeys.EncodeSeed(prefix, raw[:])
	if err != nil {
		panic(err)
	}
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		panic(err)
	}
	return pair
}

func public(pair nkeys.KeyPair) string {
	key, err := pair.PublicKey()
	if err != nil {
		panic(err)
	}
	return key
}
