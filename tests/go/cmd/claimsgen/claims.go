package main

import (
	"math"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// claims makes claims of a type, and the key to sign them with.
func (g *gen) claims(kind string) (jwt.Claims, nkeys.KeyPair) {
	switch kind {
	case "operator":
		return g.operator()
	case "account":
		return g.account()
	case "user":
		return g.user()
	case "activation":
		return g.activation()
	case "authorization_request":
		return g.request()
	case "authorization_response":
		return g.response()
	case "generic":
		return g.generic()
	}
	panic("no such type: " + kind)
}

func (g *gen) operator() (jwt.Claims, nkeys.KeyPair) {
	pair := g.pair(nkeys.PrefixByteOperator)
	c := jwt.NewOperatorClaims(public(pair))
	g.standard(&c.ClaimsData)
	c.SigningKeys = some(g, 4, func() string { return g.id(nkeys.PrefixByteOperator) })
	// The library does not encode an operator whose account server it cannot parse.
	c.AccountServerURL = pick(g, "", "nats://localhost:4222", "https://h/jwt/v1?a=<b>&c", "x:")
	c.OperatorServiceURLs = some(g, 3, g.url)
	c.SystemAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
	c.AssertServerVersion = pick(g, "", "2.10.0", "2.10", "a.b.c", "1.-2.3", "+1.02.-0", "1.2.3.4", "1.2.99999999999999999999", g.text())
	c.StrictSigningKeyUsage = g.chance(50)
	c.Tags = g.tags()
	return c, pick(g, pair, g.pair(nkeys.PrefixByteOperator))
}

func (g *gen) account() (jwt.Claims, nkeys.KeyPair) {
	pair := g.pair(nkeys.PrefixByteAccount)
	c := jwt.NewAccountClaims(public(pair))
	g.standard(&c.ClaimsData)
	c.Imports = some(g, 5, g.imported)
	if len(c.Imports) > 0 && g.chance(20) {
		again := *pick(g, c.Imports...)
		c.Imports = append(c.Imports, &again)
	}
	c.Exports = some(g, 5, g.export)
	if g.chance(80) {
		g.limits(&c.Limits)
	}
	for range g.IntN(4) {
		key := g.id(nkeys.PrefixByteAccount)
		if g.chance(50) {
			c.SigningKeys.Add(key)
			continue
		}
		scope := jwt.NewUserScope()
		scope.Key = key
		scope.Role = g.text()
		scope.Description = g.text()
		g.permissionLimits(&scope.Template, g.scopeInt)
		c.SigningKeys.AddScopedSigner(scope)
	}
	c.Revocations = g.revocations()
	g.permissions(&c.DefaultPermissions, g.int)
	for range g.IntN(3) {
		to := []jwt.WeightedMapping{}
		for range g.IntN(4) {
			to = append(to, jwt.WeightedMapping{
				Subject: jwt.Subject(g.subject()),
				Weight:  pick[uint8](g, 0, 10, 50, 60, 100, 101, 255),
				Cluster: pick(g, "", "", "c1", "c2", g.text()),
			})
		}
		c.Mappings[jwt.Subject(g.subject())] = to
	}
	c.Authorization.AuthUsers = some(g, 2, func() string { return g.id(nkeys.PrefixByteUser) })
	c.Authorization.AllowedAccounts = some(g, 2, func() string { return pick(g, "*", g.id(nkeys.PrefixByteAccount)) })
	c.Authorization.XKey = pick(g, "", g.id(nkeys.PrefixByteCurve))
	if g.chance(40) {
		c.Trace = &jwt.MsgTrace{Destination: jwt.Subject(g.subject()), Sampling: int(pick(g, 0, 1, 100, 101, -1, g.int()))}
	}
	c.ClusterTraffic = pick[jwt.ClusterTraffic](g, "", "", "system", "owner", jwt.ClusterTraffic(g.text()))
	g.info(&c.Info)
	c.Tags = g.tags()
	return c, pick(g, pair, g.pair(nkeys.PrefixByteOperator), g.pair(nkeys.PrefixByteOperator))
}

func (g *gen) info(info *jwt.Info) {
	if g.chance(50) {
		info.Description = g.text()
		info.InfoURL = g.url()
	}
	if g.chance(2) {
		long := make([]byte, jwt.MaxInfoLength+g.IntN(2))
		for i := range long {
			long[i] = 'x'
		}
		info.Description = string(long)
		info.InfoURL = "https://h/" + string(long[g.IntN(20):])
	}
}

func (g *gen) limits(limits *jwt.OperatorLimits) {
	limits.NatsLimits = jwt.NatsLimits{Subs: g.int(), Data: g.int(), Payload: g.int()}
	limits.AccountLimits = jwt.AccountLimits{
		Imports: pick(g, -1, 0, 1, 3, g.int()), Exports: pick(g, -1, 0, 1, 3, g.int()),
		WildcardExports: g.chance(50), DisallowBearer: g.chance(50), Conn: g.int(), LeafNodeConn: g.int(),
	}
	if g.chance(50) {
		limits.JetStreamLimits = g.jetStream()
	}
	limits.JetStreamTieredLimits = nil
	if g.chance(40) {
		limits.JetStreamTieredLimits = jwt.JetStreamTieredLimits{}
		for range g.IntN(3) {
			limits.JetStreamTieredLimits[pick(g, "R1", "R3", "", g.text())] = g.jetStream()
		}
	}
}

func (g *gen) jetStream() jwt.JetStreamLimits {
	return jwt.JetStreamLimits{
		MemoryStorage: g.int(), DiskStorage: g.int(), Streams: g.int(), Consumer: g.int(), MaxAckPending: g.int(),
		MemoryMaxStreamBytes: g.int(), DiskMaxStreamBytes: g.int(), MaxBytesRequired: g.chance(50),
	}
}

func (g *gen) imported() *jwt.Import {
	return &jwt.Import{
		Name:         g.text(),
		Subject:      jwt.Subject(g.anySubject()),
		Account:      pick(g, "", g.id(nkeys.PrefixByteAccount), public(g.pairs[nkeys.PrefixByteAccount][0])),
		Token:        pick(g, "", "", pick(g, g.tokens...), pick(g, g.tokens...), g.text(), "https://h/token"),
		To:           jwt.Subject(pick(g, "", "", "", g.anySubject())),
		LocalSubject: jwt.RenamingSubject(pick(g, "", g.anySubject())),
		Type:         pick(g, jwt.Unknown, jwt.Stream, jwt.Service, jwt.Service),
		Share:        g.chance(30),
		AllowTrace:   g.chance(30),
	}
}

func (g *gen) export() *jwt.Export {
	export := &jwt.Export{
		Name:                 g.text(),
		Subject:              jwt.Subject(g.anySubject()),
		Type:                 pick(g, jwt.Unknown, jwt.Stream, jwt.Service, jwt.Service),
		TokenReq:             g.chance(50),
		Revocations:          g.revocations(),
		ResponseType:         jwt.ResponseType(pick(g, "", "", "Singleton", "Stream", "Chunked", g.text())),
		ResponseThreshold:    time.Duration(pick(g, 0, 0, -1, g.int())),
		AccountTokenPosition: pick[uint](g, 0, 0, 1, 2, 3, 9, math.MaxUint),
		Advertise:            g.chance(50),
		AllowTrace:           g.chance(30),
	}
	if g.chance(40) {
		export.Latency = &jwt.ServiceLatency{Sampling: jwt.SamplingRate(g.IntN(101)), Results: jwt.Subject(g.subject())}
	}
	g.info(&export.Info)
	return export
}

func (g *gen) permission() jwt.Permission {
	entry := func() string {
		if g.chance(20) {
			return g.subject() + " " + g.subject()
		}
		return g.subject()
	}
	return jwt.Permission{Allow: some(g, 3, entry), Deny: some(g, 3, entry)}
}

func (g *gen) permissions(permissions *jwt.Permissions, number func() int64) {
	permissions.Pub = g.permission()
	permissions.Sub = g.permission()
	if g.chance(30) {
		permissions.Resp = &jwt.ResponsePermission{MaxMsgs: int(number()), Expires: time.Duration(number())}
	}
}

func (g *gen) permissionLimits(limits *jwt.UserPermissionLimits, number func() int64) {
	g.permissions(&limits.Permissions, number)
	limits.Src = some(g, 3, g.network)
	limits.Times = some(g, 2, func() jwt.TimeRange { return jwt.TimeRange{Start: g.time(), End: g.time()} })
	limits.Locale = g.zone()
	limits.NatsLimits = jwt.NatsLimits{Subs: number(), Data: number(), Payload: number()}
	limits.BearerToken = g.chance(50)
	limits.ProxyRequired = g.chance(50)
	limits.AllowedConnectionTypes = some(g, 3, func() string {
		return pick(g, "STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS", g.text())
	})
}

func (g *gen) user() (jwt.Claims, nkeys.KeyPair) {
	c := jwt.NewUserClaims(public(g.pair(nkeys.PrefixByteUser)))
	g.standard(&c.ClaimsData)
	if g.chance(20) {
		c.SetScoped(true)
	} else {
		g.permissionLimits(&c.UserPermissionLimits, g.int)
	}
	c.IssuerAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
	c.Tags = g.tags()
	return c, g.pair(nkeys.PrefixByteAccount)
}

func (g *gen) activation() (jwt.Claims, nkeys.KeyPair) {
	c := jwt.NewActivationClaims(public(g.pair(nkeys.PrefixByteAccount)))
	g.standard(&c.ClaimsData)
	c.ImportSubject = jwt.Subject(g.anySubject())
	c.ImportType = pick(g, jwt.Unknown, jwt.Stream, jwt.Service)
	c.IssuerAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
	c.Tags = g.tags()
	return c, pick(g, g.pair(nkeys.PrefixByteAccount), g.pair(nkeys.PrefixByteOperator))
}

func (g *gen) request() (jwt.Claims, nkeys.KeyPair) {
	c := jwt.NewAuthorizationRequestClaims(pick(g, public(g.pair(nkeys.PrefixByteAccount)), "x"+g.text()))
	g.standard(&c.ClaimsData)
	c.Server = jwt.ServerID{
		Name: g.text(), Host: g.text(), ID: g.id(nkeys.PrefixByteServer), Version: g.text(), Cluster: g.text(), Tags: g.tags(),
		XKey: pick(g, "", g.id(nkeys.PrefixByteCurve)),
	}
	c.UserNkey = pick(g, "", g.id(nkeys.PrefixByteUser), g.id(nkeys.PrefixByteUser))
	c.ClientInformation = jwt.ClientInformation{
		Host: g.text(), ID: pick(g, 0, 1, math.MaxUint64, g.Uint64()), User: g.text(), Name: g.text(), Tags: g.tags(), NameTag: g.text(),
		Kind: pick(g, "", "Client", "Leafnode"), Type: pick(g, "", "nats", "websocket", "mqtt"), MQTT: g.text(), Nonce: g.text(),
	}
	c.ConnectOptions = jwt.ConnectOptions{
		JWT: pick(g, "", pick(g, g.tokens...)), Nkey: pick(g, "", g.id(nkeys.PrefixByteUser)), SignedNonce: g.text(), Token: g.text(),
		Username: g.text(), Password: g.text(), Name: g.text(), Lang: g.text(), Version: g.text(), Protocol: int(g.int()),
	}
	if g.chance(40) {
		c.TLS = &jwt.ClientTLS{Version: g.text(), Cipher: g.text(), Certs: some(g, 2, g.text)}
		for range g.IntN(3) {
			c.TLS.VerifiedChains = append(c.TLS.VerifiedChains, append(jwt.StringList{}, some(g, 2, g.text)...))
		}
	}
	c.RequestNonce = g.text()
	c.Tags = g.tags()
	return c, g.pair(nkeys.PrefixByteServer)
}

func (g *gen) response() (jwt.Claims, nkeys.KeyPair) {
	c := jwt.NewAuthorizationResponseClaims(pick(g, public(g.pair(nkeys.PrefixByteUser)), "x"+g.text()))
	g.standard(&c.ClaimsData)
	c.Jwt = pick(g, "", g.text())
	c.Error = pick(g, "", g.text())
	c.IssuerAccount = pick(g, "", g.id(nkeys.PrefixByteAccount))
	c.Tags = g.tags()
	return c, g.pair(nkeys.PrefixByteAccount)
}

func (g *gen) generic() (jwt.Claims, nkeys.KeyPair) {
	c := jwt.NewGenericClaims("x" + g.text())
	g.standard(&c.ClaimsData)
	for range g.IntN(5) {
		c.Data["x"+g.text()] = g.any(3)
	}
	if g.chance(50) {
		c.Data["type"] = pick(g, "custom", "generic", "x"+g.text())
	}
	if g.chance(30) {
		c.Data["tags"] = []string(g.tags())
		if c.Data["tags"].([]string) == nil {
			delete(c.Data, "tags")
		}
	}
	return c, g.pair(pick(g, nkeys.PrefixByteOperator, nkeys.PrefixByteAccount))
}

// bits is any finite number.
func (g *gen) bits() float64 {
	for {
		n := math.Float64frombits(g.Uint64())
		if !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n
		}
	}
}

// any is a value as JSON decodes it: numbers are float64.
func (g *gen) any(depth int) any {
	switch n := g.IntN(8); {
	case n == 0 && depth > 0:
		list := []any{}
		for range g.IntN(3) {
			list = append(list, g.any(depth-1))
		}
		return list
	case n == 1 && depth > 0:
		object := map[string]any{}
		for range g.IntN(3) {
			object[g.text()] = g.any(depth - 1)
		}
		return object
	case n == 2:
		return pick[any](g, nil, true, false)
	case n == 3:
		return g.NormFloat64() * math.Pow(10, float64(g.IntN(60)-30))
	case n == 4:
		return pick(g, 0, 1, -1, 0.1, 1e20, 1e21, 1e-6, 9e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 1<<53, 1<<63, 1<<64, -(1 << 63), math.Copysign(0, -1), 123456789.125)
	case n == 5:
		return pick(g, float64(g.int()), g.bits(), float64(g.Int64N(1<<53))/4)
	default:
		return g.text()
	}
}
