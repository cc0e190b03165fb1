//! The requests, borrowed from their frames.

use nkey_core::nkey::Kind;

/// A request, taken apart and bounded. Keys in blobs have no kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// 11: list the keys.
    List,
    /// 13: sign.
    Sign {
        /// The 32 bytes of the key.
        key: [u8; 32],
        /// What to sign.
        data: &'a [u8],
    },
    /// 22: lock; the passphrase is ignored.
    Lock,
    /// 23: unlock.
    Unlock {
        /// The vault's passphrase.
        passphrase: &'a [u8],
    },
    /// 27 `query`.
    Query,
    /// 27 `session-bind@openssh.com`.
    SessionBind,
    /// 27: an extension of this agent.
    Ours(Ours<'a>),
}

/// A request by an extension of this agent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ours<'a> {
    /// Sign.
    Sign {
        /// The 32 bytes of the key.
        key: [u8; 32],
        /// What to sign.
        data: &'a [u8],
    },
    /// Issue.
    Issue {
        /// The 32 bytes of the key.
        key: [u8; 32],
        /// The claims, JSON.
        claims: &'a [u8],
        /// Time of issue, or 0 for now.
        iat: i64,
        /// The time that `iat` must be greater than, or 0.
        after: i64,
    },
    /// List a page.
    List {
        /// Rows passed over.
        offset: u32,
        /// Most rows.
        limit: u32,
    },
    /// Add a seed.
    Add {
        /// The seed's text.
        seed: &'a str,
        /// The key's name.
        name: &'a str,
        /// [`flag`](super::flag) bits.
        flags: u32,
    },
    /// Make a key.
    Generate {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: &'a str,
        /// [`flag`](super::flag) bits.
        flags: u32,
        /// Answer before it is on disk.
        later: bool,
    },
    /// Wait until the key that was answered before is on disk.
    Flush,
    /// Give the seed of a key.
    Export {
        /// The NKey.
        key: &'a str,
    },
    /// Remove a key.
    Remove {
        /// The NKey.
        key: &'a str,
    },
    /// Rename a key.
    Rename {
        /// The NKey.
        key: &'a str,
        /// Its new name.
        name: &'a str,
    },
    /// Say the state.
    Status,
    /// Unlock: the answer to the last question, empty at first.
    Unlock {
        /// The answer.
        answer: &'a str,
    },
    /// List the stores.
    Stores,
    /// List the slots of a store.
    Slots {
        /// The store's name.
        store: &'a str,
    },
    /// Enrol a key.
    Enrol {
        /// The store's name.
        store: &'a str,
        /// The slot's id or label.
        slot: &'a str,
        /// The kind that the key shall have.
        kind: Kind,
        /// Its name.
        name: &'a str,
        /// [`flag`](super::flag) bits.
        flags: u32,
        /// The NKey, for a slot that does not show it; else empty.
        key: &'a str,
    },
    /// Make a key in a store.
    GenerateIn {
        /// The store's name.
        store: &'a str,
        /// The key's kind.
        kind: Kind,
        /// Its name.
        name: &'a str,
        /// [`flag`](super::flag) bits.
        flags: u32,
    },
    /// Unlock one store: the answer to the last question, empty at first.
    UnlockIn {
        /// The store's name.
        store: &'a str,
        /// The answer.
        answer: &'a str,
    },
    /// Lock one store.
    LockIn {
        /// The store's name.
        store: &'a str,
    },
    /// Pass a command on to a token.
    Token {
        /// The store's name, or the token's serial number.
        store: &'a str,
        /// The command, in postcard.
        command: &'a [u8],
    },
}
