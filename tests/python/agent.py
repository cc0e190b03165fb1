"""Lists an agent's keys and signs a nonce with paramiko. Arguments: the user's NKey, the nonce."""

import sys

from paramiko.agent import Agent

nkey, nonce = sys.argv[1:]
keys = {key.comment.split()[0]: key for key in Agent().get_keys()}
key = keys[nkey]
signature = key.sign_ssh_data(nonce.encode())
# string "ssh-ed25519", string of 64 bytes
assert signature[:15] == b"\x00\x00\x00\x0bssh-ed25519", signature[:15]
assert len(signature) == 15 + 4 + 64, len(signature)
print(signature[19:].hex())
