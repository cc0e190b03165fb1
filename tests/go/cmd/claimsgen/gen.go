package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// gen makes random values. Few keys, so that they meet again.
type gen struct {
	*rand.Rand
	pairs map[nkeys.PrefixByte][]nkeys.KeyPair
	// tokens are activations signed by the account keys.
	tokens []string
}

func newGen(r *rand.Rand) *gen {
	g := &gen{Rand: r, pairs: map[nkeys.PrefixByte][]nkeys.KeyPair{}}
	for _, prefix := range []nkeys.PrefixByte{
		nkeys.PrefixByteOperator, nkeys.PrefixByteAccount, nkeys.PrefixByteUser, nkeys.PrefixByteServer,
	} {
		for range 4 {
			g.pairs[prefix] = append(g.pairs[prefix], g.key(prefix))
		}
	}
	for range 24 {
		claims, issuer := g.activation()
		token, err := claims.Encode(issuer)
		if err != nil {
			panic(err)
		}
		g.tokens = append(g.tokens, token)
	}
	return g
}

func (g *gen) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *gen, from ...T) T { return from[g.IntN(len(from))] }

// some makes a list of up to most values, sometimes nil.
func some[T any](g *gen, most int, make func() T) []T {
	var list []T
	if g.chance(50) {
		for range g.IntN(most + 1) {
			list = append(list, make())
		}
	}
	return list
}

func (g *gen) pair(prefix nkeys.PrefixByte) nkeys.KeyPair { return pick(g, g.pairs[prefix]...) }

// id is mostly a public key of the kind wanted, sometimes of another, a damaged one or any text.
func (g *gen) id(prefix nkeys.PrefixByte) string {
	switch n := g.IntN(20); {
	case n == 0:
		return g.text()
	case n == 1:
		return public(g.pair(pick(g, nkeys.PrefixByteOperator, nkeys.PrefixByteUser, nkeys.PrefixByteServer)))
	case n == 2:
		return public(g.pair(nkeys.PrefixByteAccount))[:55] + "A"
	case prefix == nkeys.PrefixByteCurve:
		return "XCMFSOSNAUV6AQTBJEEAGS7VDSSZSB3SSOOXUSPBBIIFD4DAEVPUG3MD"
	default:
		return public(g.pair(prefix))
	}
}

var pieces = []string{
	"a", "b", "name", "é", "Ünï", "日本", "😀", "<", ">", "&", "\"", "\\", "/", "'", "`", " ", "\n", "\r", "\t", "\b", "\f",
	"\x00", "\x01", "\x1f", "\x7f", "\u0080", "\u2028", "\u2029", "\u202e", "\ufeff", "\ufffd", "\uffff", "ſ", "K", "{}", "[]", ":", ",",
	"null", "\"sub\":", "\\u003c", "\U0010ffff",
}

func (g *gen) text() string {
	var text strings.Builder
	for range g.IntN(6) {
		text.WriteString(pick(g, pieces...))
	}
	return text.String()
}

// int is any number, often one on an edge.
func (g *gen) int() int64 {
	switch g.IntN(8) {
	case 0, 1, 2:
		return pick[int64](g, -1, 0, 1)
	case 3:
		return pick[int64](g, math.MinInt64, math.MaxInt64, 1<<53, 1<<53+1, -(1<<53 + 1), math.MaxInt32, 1<<62+1)
	case 4:
		return int64(g.Uint64())
	default:
		return g.Int64N(100_000)
	}
}

// scopeInt avoids the numbers that Go cannot read back: in a scope they pass through float64,
// and those near 2^63 do not fit an int64 any more.
func (g *gen) scopeInt() int64 {
	n := g.int()
	if n > math.MaxInt64-1024 || n < math.MinInt64+1024 {
		return -1
	}
	return n
}

func (g *gen) token() string {
	return pick(g, "a", "b", "foo", "bar", "*", "*", ">", "$1", "$2", "$0", "$x", "", "a b", "é", "$+1", "a*", "_INBOX")
}

func (g *gen) subject() string {
	if g.chance(10) {
		return g.text()
	}
	tokens := make([]string, 1+g.IntN(4))
	for i := range tokens {
		tokens[i] = g.token()
	}
	if g.chance(20) {
		tokens[len(tokens)-1] = ">"
	}
	return strings.Join(tokens, ".")
}

// plainSubject has wildcards, references and no faults.
func (g *gen) plainSubject() string {
	tokens := make([]string, 1+g.IntN(3))
	for i := range tokens {
		tokens[i] = pick(g, "a", "b", "foo", "*", "$1", "$2")
	}
	if g.chance(30) {
		tokens = append(tokens, ">")
	}
	return strings.Join(tokens, ".")
}

func (g *gen) anySubject() string {
	if g.chance(70) {
		return g.plainSubject()
	}
	return g.subject()
}

func (g *gen) url() string {
	if g.chance(40) {
		return pick(g, "nats://localhost:4222", "tls://h", "wss://h:443", "https://h/a?b#c", "ws://[::1]:80", "nats://u:p@h", "")
	}
	var url strings.Builder
	url.WriteString(pick(g, "nats", "TLS", "http", "https", "ws", "mailto", "", "1x", "a+b", "é"))
	url.WriteString(pick(g, "://", "://", "://", ":", "//", "/", "", ":/", ":///"))
	for range g.IntN(5) {
		url.WriteString(pick(g, "h", "host", ".", ":", ":4222", ":x", "@", "u:p@", "[", "]", "[::1]", "[fe80::1%25en0]", "[::ffff:1.2.3.4%25z]",
			"[1.2.3.4]", "%41", "%zz", "%25", "%c3", "%", "/", "/a", "?", "?q", "#", "#f", "#%", " ", "\x7f", "\x01", "é", "\"", "<", "\\", "^", "{", "*", "$", "~"))
	}
	return url.String()
}

func (g *gen) network() string {
	return pick(g, "192.0.2.0/24", "10.0.0.0/8", "::/0", "2001:db8::/32", "::ffff:1.2.3.4/96", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/08",
		"01.2.3.4/8", "1.2.3.4/+8", "fe80::1%eth0/64", "1:2:3:4:5:6:7::/16", "1:2:3:4::5:6:7:8/16", "::/129", "", "/", "x/8", "1.2.3.4/8/8", g.text())
}

func (g *gen) time() string {
	if g.chance(30) {
		return pick(g, "1:02:03", "01:02:03.5", "01:02:03,5", "01:02:03.", "24:00:00", "01:60:00", "01:02:60", "001:02:03", "01:02", "", " 01:02:03",
			"01:02:03 ", "01:2:03", "01:02:3", "01:02:03.1234567890123", "+1:02:03", g.text())
	}
	return time.Unix(g.Int64N(86400), 0).UTC().Format("15:04:05")
}

func (g *gen) zone() string {
	return pick(g, "", "", "UTC", "Local", "Europe/Zurich", "America/New_York", "Nowhere/Land", "../etc/passwd", "/etc/localtime", "\\x", "utc", g.text())
}

func (g *gen) standard(c *jwt.ClaimsData) {
	now := time.Now().Unix()
	when := func() int64 { return pick(g, 0, 0, 1, -1, now-86400, now+86400, math.MaxInt64, math.MinInt64) }
	c.Audience = pick(g, "", "", g.text(), g.id(nkeys.PrefixByteServer))
	c.Name = g.text()
	c.Expires = when()
	c.NotBefore = when()
	// What the library overwrites must not matter.
	c.ID = g.text()
	c.Issuer = g.text()
	c.IssuedAt = g.int()
}

func (g *gen) tags() jwt.TagList { return some(g, 3, g.text) }

func (g *gen) revocations() jwt.RevocationList {
	if g.chance(50) {
		return nil
	}
	list := jwt.RevocationList{}
	for range g.IntN(4) {
		list[pick(g, "*", g.id(nkeys.PrefixByteUser), g.text())] = g.int()
	}
	return list
}
