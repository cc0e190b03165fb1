module nkey-agent-tests

go 1.26.0

require (
	github.com/nats-io/jwt/v2 v2.8.3
	github.com/nats-io/nkeys v0.4.17
	golang.org/x/crypto v0.52.0
)

require golang.org/x/sys v0.45.0 // indirect
