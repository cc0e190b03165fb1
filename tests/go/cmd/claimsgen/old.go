package main

import (
	"github.com/nats-io/jwt/v2"
	old "github.com/nats-io/jwt/v2/v1compat"
	"github.com/nats-io/nkeys"
)

// oldClaims makes claims with the library of version 1, and the key to sign them with.
func (g *gen) oldClaims(kind string) (old.Claims, nkeys.KeyPair) {
	switch kind {
	case "operator":
		pair := g.pair(nkeys.PrefixByteOperator)
		c := old.NewOperatorClaims(public(pair))
		g.oldStandard(&c.ClaimsData)
		c.SigningKeys = some(g, 4, func() string { return g.id(nkeys.PrefixByteOperator) })
		c.AccountServerURL = pick(g, "", "nats://localhost:4222", "https://h/jwt/v1?a=<b>&c")
		c.OperatorServiceURLs = some(g, 3, func() string { return pick(g, "nats://localhost:4222", "tls://h", "") })
		c.SystemAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
		return c, pair
	case "account":
		pair := g.pair(nkeys.PrefixByteAccount)
		c := old.NewAccountClaims(public(pair))
		g.oldStandard(&c.ClaimsData)
		c.Imports = some(g, 3, g.oldImport)
		c.Exports = some(g, 3, g.oldExport)
		if g.chance(80) {
			c.Limits = old.OperatorLimits{
				Subs: g.int(), Conn: g.int(), LeafNodeConn: g.int(), Imports: g.int(), Exports: g.int(), Data: g.int(), Payload: g.int(),
				WildcardExports: g.chance(50),
			}
		}
		c.SigningKeys = some(g, 4, func() string { return g.id(nkeys.PrefixByteAccount) })
		c.Revocations = old.RevocationList(g.revocations())
		return c, pick(g, pair, g.pair(nkeys.PrefixByteOperator))
	case "user":
		c := old.NewUserClaims(public(g.pair(nkeys.PrefixByteUser)))
		g.oldStandard(&c.ClaimsData)
		c.Permissions = g.oldPermissions()
		if g.chance(80) {
			c.Limits = g.oldLimits()
		}
		c.BearerToken = g.chance(50)
		c.IssuerAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
		return c, g.pair(nkeys.PrefixByteAccount)
	case "activation":
		c := old.NewActivationClaims(public(g.pair(nkeys.PrefixByteAccount)))
		g.oldStandard(&c.ClaimsData)
		c.ImportSubject = old.Subject(g.anySubject())
		c.ImportType = pick[old.ExportType](g, old.Stream, old.Service)
		c.Limits = g.oldLimits()
		c.IssuerAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
		return c, pick(g, g.pair(nkeys.PrefixByteAccount), g.pair(nkeys.PrefixByteOperator))
	}
	panic("no such type of version 1: " + kind)
}

func (g *gen) oldStandard(c *old.ClaimsData) {
	var standard jwt.ClaimsData
	g.standard(&standard)
	c.Audience, c.Name, c.Expires, c.NotBefore = standard.Audience, standard.Name, standard.Expires, standard.NotBefore
	c.Tags = old.TagList(g.tags())
}

func (g *gen) oldPermissions() old.Permissions {
	var permissions jwt.Permissions
	g.permissions(&permissions, g.int)
	list := func(p jwt.Permission) old.Permission {
		return old.Permission{Allow: old.StringList(p.Allow), Deny: old.StringList(p.Deny)}
	}
	made := old.Permissions{Pub: list(permissions.Pub), Sub: list(permissions.Sub)}
	if permissions.Resp != nil {
		made.Resp = &old.ResponsePermission{MaxMsgs: permissions.Resp.MaxMsgs, Expires: permissions.Resp.Expires}
	}
	return made
}

func (g *gen) oldLimits() old.Limits {
	return old.Limits{
		Max: g.int(), Payload: g.int(), Src: pick(g, "", "192.0.2.0/24", "192.0.2.0/24, 2001:DB8::/32,x,", g.text()),
		Times: some(g, 2, func() old.TimeRange { return old.TimeRange{Start: g.time(), End: g.time()} }),
	}
}

func (g *gen) oldImport() *old.Import {
	return &old.Import{
		Name: g.text(), Subject: old.Subject(g.anySubject()), Account: g.id(nkeys.PrefixByteAccount),
		Token: pick(g, "", "", pick(g, g.tokens...), "https://h/token"), To: old.Subject(pick(g, "", g.anySubject())),
		Type: pick[old.ExportType](g, old.Stream, old.Service),
	}
}

func (g *gen) oldExport() *old.Export {
	export := &old.Export{
		Name: g.text(), Subject: old.Subject(g.anySubject()), Type: pick[old.ExportType](g, old.Stream, old.Service), TokenReq: g.chance(50),
		Revocations: old.RevocationList(g.revocations()), ResponseType: old.ResponseType(pick(g, "", "Singleton", "Stream", g.text())),
		AccountTokenPosition: pick[uint](g, 0, 0, 1, 9),
	}
	if g.chance(40) {
		export.Latency = &old.ServiceLatency{Sampling: g.IntN(101), Results: old.Subject(g.subject())}
	}
	return export
}
