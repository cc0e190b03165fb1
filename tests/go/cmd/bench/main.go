// bench prints what nats-io/jwt takes on one thread, in microseconds: "sign decode all". sign makes a user's token with an
// account key, decode reads and verifies one, all also makes the user's key and creds. Argument: seconds for each.
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
	fmt.Println(
		measure(seconds, func() { encode(public, account) }),
		measure(seconds, func() {
			_, err := jwt.DecodeUserClaims(token)
			check(err)
		}),
		measure(seconds, func() {
			user, err := nkeys.CreateUser()
			check(err)
			public, err := user.PublicKey()
			check(err)
			seed, err := user.Seed()
			check(err)
			_, err = jwt.FormatUserConfig(encode(public, account), seed)
			check(err)
		}))
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

func measure(seconds float64, work func()) float64 {
	for range 200 {
		work()
	}
	started, count := time.Now(), 0
	for time.Since(started).Seconds() < seconds {
		for range 50 {
			work()
		}
		count += 50
	}
	return time.Since(started).Seconds() * 1e6 / float64(count)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
