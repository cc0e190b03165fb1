// bench prints what nats-io/jwt takes on one thread, in microseconds: "sign decode all decode-revocations
// encode-revocations". sign makes a user's token with an account key, decode reads and verifies one, all also makes the
// user's key and creds; the last two are of an account that revokes 10,000 users. Argument: seconds for each.
package main

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

func main() {
	runtime.GOMAXPROCS(1)
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	check(err)
	account, err := nkeys.CreateAccount()
	check(err)
	user, err := nkeys.CreateUser()
	check(err)
	public, err := user.PublicKey()
	check(err)

	token := encode(public, account)
	revoking, operator := revoke(10_000)
	revoked := encodeAccount(revoking, operator)
	fmt.Println(
		measure(seconds, 200, func() { encode(public, account) }),
		measure(seconds, 200, func() {
			_, err := jwt.DecodeUserClaims(token)
			check(err)
		}),
		measure(seconds, 200, func() {
			user, err := nkeys.CreateUser()
			check(err)
			public, err := user.PublicKey()
			check(err)
			seed, err := user.Seed()
			check(err)
			_, err = jwt.FormatUserConfig(encode(public, account), seed)
			check(err)
		}),
		measure(seconds, 8, func() {
			_, err := jwt.DecodeAccountClaims(revoked)
			check(err)
		}),
		measure(seconds, 8, func() { encodeAccount(revoking, operator) }))
}

func revoke(count int) (*jwt.AccountClaims, nkeys.KeyPair) {
	operator, err := nkeys.CreateOperator()
	check(err)
	account, err := nkeys.CreateAccount()
	check(err)
	public, err := account.PublicKey()
	check(err)
	claims := jwt.NewAccountClaims(public)
	for range count {
		user, err := nkeys.CreateUser()
		check(err)
		public, err := user.PublicKey()
		check(err)
		claims.Revoke(public)
	}
	return claims, operator
}

func encodeAccount(claims *jwt.AccountClaims, operator nkeys.KeyPair) string {
	token, err := claims.Encode(operator)
	check(err)
	return token
}

func encode(public string, account nkeys.KeyPair) string {
	claims := jwt.NewUserClaims(public)
	claims.Name = "my-user"
	claims.Limits.Data = 1024 * 1024 * 1024
	claims.Permissions.Pub.Allow.Add("foo.>", "bar.>")
	claims.Permissions.Sub.Allow.Add("_INBOX.>")
	token, err := claims.Encode(account)
	check(err)
	return token
}

func measure(seconds float64, warm int, work func()) float64 {
	for range warm {
		work()
	}
	started, count := time.Now(), 0
	for time.Since(started).Seconds() < seconds {
		for range warm / 4 {
			work()
		}
		count += warm / 4
	}
	return time.Since(started).Seconds() * 1e6 / float64(count)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
