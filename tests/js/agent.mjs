// A small client of the agent, with nothing but Node: issues through issue-v1 (docs/protocol.md), then decodes
// with @nats-io/jwt. Arguments: the socket, the account's NKey, the user's NKey. Prints the token.
import { createConnection } from "node:net";
import { decode } from "@nats-io/jwt";
import { fromPublic } from "@nats-io/nkeys";

const [socket, account, user] = process.argv.slice(2);

const uint32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const int64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};
const string = (content) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

// The 32 bytes of an NKey: base32 of prefix, key and checksum.
const keyBytes = (nkey) => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of nkey) bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  return bytes.subarray(1, 33);
};

const exchange = (frame) =>
  new Promise((resolve, reject) => {
    const connection = createConnection(socket, () => connection.write(string(frame)));
    let answer = Buffer.alloc(0);
    connection.on("error", reject);
    connection.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0)) {
        connection.end();
        resolve(answer.subarray(4, 4 + answer.readUInt32BE(0)));
      }
    });
  });

const claims = {
  sub: user,
  name: "from Node: <é & 😀>",
  nats: { subs: -1, payload: -1, data: -1, sub: { allow: ["_INBOX.>"] }, pub: {}, type: "user" },
};
const blob = Buffer.concat([string("ssh-ed25519"), string(keyBytes(account))]);
const name = "issue-v1@nkey-agent";
const answer = await exchange(
  Buffer.concat([Buffer.from([27]), string(name), string(blob), string(JSON.stringify(claims)), int64(0), int64(0)]),
);

let at = 0;
const byte = () => answer[at++];
const text = () => {
  const length = answer.readUInt32BE(at);
  at += 4 + length;
  return answer.subarray(at - length, at).toString();
};
if (byte() !== 29 || text() !== name) throw new Error("not an answer to issue-v1");
const status = byte();
const reason = text();
if (status !== 0) throw new Error(`refused: ${status} ${reason}`);
const token = text();

const decoded = decode(token);
// @nats-io/jwt reads the payload's bytes as Latin-1.
const decodedName = Buffer.from(decoded.name, "latin1").toString();
if (decoded.iss !== account || decoded.sub !== user || decodedName !== claims.name) {
  throw new Error(`decoded ${JSON.stringify(decoded)}`);
}
const [header, payload, signature] = token.split(".");
const signed = Buffer.from(`${header}.${payload}`);
if (!fromPublic(account).verify(signed, Buffer.from(signature, "base64url"))) throw new Error("the signature is wrong");
console.log(token);
