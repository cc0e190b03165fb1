// bench prints what nats-io/jwt takes on one thread, in microseconds: "sign decode all sign-large decode-large encode-large". sign makes
// a user's token with an account key, decode reads and verifies one, all also makes the user's key and creds; large is an
// account with 10,000 revocations, encoded all but for the signature in the last. Argument: seconds for each.
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
	large := revoked(account, 10_000)
	largeToken, err := large.Encode(account)
	check(err)
	none := make([]byte, 64)
	withSignature, without := alternate(seconds, func() {
		_, err := large.Encode(account)
		check(err)
	}, func() {
		_, err := large.EncodeWithSigner(account, func(string, []byte) ([]byte, error) { return none, nil })
		check(err)
	})
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
		}),
		withSignature,
		measure(seconds, func() {
			_, err := jwt.DecodeAccountClaims(largeToken)
			check(err)
		}),
		without)
}

// revoked makes an account with revocations.
func revoked(account nkeys.KeyPair, count int) *jwt.AccountClaims {
	public, err := account.PublicKey()
	check(err)
	claims := jwt.NewAccountClaims(public)
	claims.Revocations = jwt.RevocationList{}
	for i := range count {
		user, err := nkeys.CreateUser()
		check(err)
		public, err := user.PublicKey()
		check(err)
		claims.RevokeAt(public, time.Unix(1_700_000_000+int64(i), 0))
	}
	return claims
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
	for range 10 {
		work()
	}
	started, count := time.Now(), 0
	for time.Since(started).Seconds() < seconds {
		for range 10 {
			work()
		}
		count += 10
	}
	return time.Since(started).Seconds() * 1e6 / float64(count)
}

// alternate measures two works in turns, so that the heap that other measurements left slows both alike.
func alternate(seconds float64, first, second func()) (float64, float64) {
	var took [2]float64
	const parts = 8
	for range parts {
		runtime.GC()
		took[0] += measure(seconds/parts, first) / parts
		runtime.GC()
		took[1] += measure(seconds/parts, second) / parts
	}
	return took[0], took[1]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
