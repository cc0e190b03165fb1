//! What a server asks an authorization service (nats-io/jwt v2.8.3, `authorization_claims.go`).

use super::shape::{Member, Object, Shape, Ty, Typed, write_member, write_object};
use crate::json::Write;
use crate::json::Writer;

define! {
    /// The server that asks. `ServerID`.
    ServerId {
        /// The server's name.
        always name: (opt text) = "name",
        /// Its host.
        always host: (opt text) = "host",
        /// Its public key, which also is the request's issuer.
        always id: (opt text) = "id",
        /// The version it runs.
        omit version: text = "version",
        /// Its cluster.
        omit cluster: text = "cluster",
        /// Its tags.
        omit tags: [text] = "tags",
        /// The curve key to seal the answer to.
        omit xkey: text = "xkey",
    }
    /// The client that connects. `ClientInformation`.
    ClientInformation {
        /// Its address.
        omit host: text = "host",
        /// The connection's number.
        omit id: (plain u64) = "id",
        /// The user's name.
        omit user: text = "user",
        /// The connection's name.
        omit name: text = "name",
        /// Tags.
        omit tags: [text] = "tags",
        /// The name in the account's claims.
        omit name_tag: text = "name_tag",
        /// The kind of connection: `Client`, `Leafnode`.
        omit kind: text = "kind",
        /// The protocol: `nats`, `websocket`, `mqtt`.
        omit protocol: text = "type",
        /// The client's id in MQTT.
        omit mqtt_id: text = "mqtt_id",
        /// The nonce that it signed.
        omit nonce: text = "nonce",
    }
    /// What the client sent to connect; it may hold secrets. `ConnectOptions`.
    ConnectOptions {
        /// A user's JWT.
        omit jwt: text = "jwt",
        /// A public key.
        omit nkey: text = "nkey",
        /// The nonce's signature.
        omit sig: text = "sig",
        /// A secret token.
        omit auth_token: text = "auth_token",
        /// A user's name.
        omit user: text = "user",
        /// A password.
        omit pass: text = "pass",
        /// The connection's name.
        omit name: text = "name",
        /// The client's language.
        omit lang: text = "lang",
        /// The client library's version.
        omit version: text = "version",
        /// The protocol's version.
        always protocol: (opt (plain i64)) = "protocol",
    }
    /// The client's certificates, PEM. `ClientTLS`.
    ClientTls {
        /// The version of TLS.
        omit version: text = "version",
        /// The cipher.
        omit cipher: text = "cipher",
        /// Certificates that were not verified.
        omit certs: [text] = "certs",
        /// Chains that were; the client's stands first.
        omit verified_chains: [[text]] = "verified_chains",
    }
    /// A server's question about a client. `AuthorizationRequest`.
    AuthorizationRequest {
        /// The server.
        always server_id: (opt ServerId) = "server_id",
        /// The user key that the answer must be about.
        always user_nkey: (opt text) = "user_nkey",
        /// The client.
        always client_info: (opt ClientInformation) = "client_info",
        /// How it connects.
        always connect_opts: (opt ConnectOptions) = "connect_opts",
        /// Its certificates.
        omit client_tls: (opt ClientTls) = "client_tls",
        /// A number that is used once.
        omit request_nonce: text = "request_nonce",
    }
}
