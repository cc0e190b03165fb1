// agentissue lists the keys of an agent with golang.org/x/crypto/ssh/agent, issues an account and a user
// through it with nats-io/jwt's EncodeWithSigner, and decodes what came out. Argument: the socket.
package main

import (
	"crypto/ed25519"
	"fmt"
	"log"
	"net"
	"os"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// holder is a key pair whose private half stays in the agent.
type holder struct {
	public string
	key    *agent.Key
}

func main() {
	log.SetFlags(0)
	connection, err := net.Dial("unix", os.Args[1])
	check(err)
	client := agent.NewClient(connection)
	keys, err := client.List()
	check(err)
	find := func(letter string) holder {
		for _, key := range keys {
			if strings.HasPrefix(key.Comment, letter) {
				return holder{strings.Fields(key.Comment)[0], key}
			}
		}
		log.Fatalf("the agent lists no %s key", letter)
		return holder{}
	}
	operator, account := find("O"), find("A")

	sign := func(key holder) jwt.SignFn {
		return func(public string, data []byte) ([]byte, error) {
			if public != key.public {
				return nil, fmt.Errorf("asked to sign as %s", public)
			}
			signature, err := client.Sign(key.key, data)
			if err != nil {
				return nil, err
			}
			public32 := key.key.Blob[len(key.key.Blob)-ed25519.PublicKeySize:]
			if !ed25519.Verify(public32, data, signature.Blob) {
				return nil, fmt.Errorf("the signature is not that of the key")
			}
			return signature.Blob, nil
		}
	}
	pair := func(key holder) nkeys.KeyPair {
		pair, err := nkeys.FromPublicKey(key.public)
		check(err)
		return pair
	}

	accountClaims := jwt.NewAccountClaims(account.public)
	accountClaims.Name = "issued <by> Go & an agent\u2028"
	accountClaims.Exports.Add(
		&jwt.Export{Subject: "z.>", Type: jwt.Stream, Name: "z"},
		&jwt.Export{Subject: "a.*", Type: jwt.Service, ResponseType: jwt.ResponseTypeStream})
	token, err := accountClaims.EncodeWithSigner(pair(operator), sign(operator))
	check(err)
	decodedAccount, err := jwt.DecodeAccountClaims(token)
	check(err)
	if decodedAccount.Name != accountClaims.Name || len(decodedAccount.Exports) != 2 {
		log.Fatalf("decoded %v", decodedAccount)
	}
	fmt.Println(token)

	user, err := nkeys.CreateUser()
	check(err)
	userPublic, err := user.PublicKey()
	check(err)
	userClaims := jwt.NewUserClaims(userPublic)
	userClaims.Pub.Allow.Add("foo.>")
	token, err = userClaims.EncodeWithSigner(pair(account), sign(account))
	check(err)
	_, err = jwt.DecodeUserClaims(token)
	check(err)
	fmt.Println(token)

	// An operator must not issue a user, and an account key must not log in anywhere.
	if _, err = client.Sign(operator.key, []byte(strings.Join(strings.Split(token, ".")[:2], "."))); err == nil {
		log.Fatal("the operator signed a user's claims")
	}
	if _, err = client.Sign(account.key, login(account.key)); err == nil {
		log.Fatal("the account key signed an ssh login")
	}
	extended := client.(agent.ExtendedAgent)
	answer, err := extended.Extension("query", nil)
	check(err)
	if !strings.Contains(string(answer), "issue-v1@nkey-agent") {
		log.Fatalf("query answers %q", answer)
	}
	if err = client.RemoveAll(); err == nil {
		log.Fatal("the agent removed all keys")
	}
}

// login is what an ssh client signs to log in (RFC 4252, section 7).
func login(key *agent.Key) []byte {
	return ssh.Marshal(struct {
		Session       []byte
		Kind          byte
		User, Service string
		Method        string
		HasSignature  bool
		Algorithm     string
		Key           []byte
	}{make([]byte, 32), 50, "root", "ssh-connection", "publickey", true, key.Format, key.Blob})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
