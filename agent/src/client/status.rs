//! The agent's state.

use super::{Client, Error};
use crate::message::Name;
use crate::wire::Reader;

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentStatus {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Its stores.
    pub stores: Vec<StoreStatus>,
    /// What a person should know, such as secrets that could not be locked in memory.
    pub warnings: Vec<String>,
}

/// One store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: String,
    /// Whether it must be unlocked before it signs.
    pub locked: bool,
    /// How many keys it holds.
    pub keys: u32,
}

impl AgentStatus {
    /// Whether a store is locked.
    pub fn is_locked(&self) -> bool {
        self.stores.iter().any(|store| store.locked)
    }

    /// The names of the stores that are locked.
    pub fn locked_stores(&self) -> Vec<&str> {
        let locked = self.stores.iter().filter(|store| store.locked);
        locked.map(|store| store.name.as_str()).collect()
    }

    pub(super) fn read(mut body: Reader<'_>) -> Result<AgentStatus, Error> {
        let version = body.text()?.to_owned();
        let pid = body.uint32()?;
        let mut stores = Vec::new();
        for _ in 0..body.uint32()? {
            stores.push(StoreStatus {
                name: body.text()?.to_owned(),
                place: body.text()?.to_owned(),
                locked: body.byte()? != 0,
                keys: body.uint32()?,
            });
        }
        let mut warnings = Vec::new();
        for _ in 0..body.uint32()? {
            warnings.push(body.text()?.to_owned());
        }
        body.end()?;
        Ok(AgentStatus {
            version,
            pid,
            stores,
            warnings,
        })
    }
}

impl Client {
    /// The agent's state.
    ///
    /// # Errors
    /// If the agent does not answer as it should.
    pub fn status(&mut self) -> Result<AgentStatus, Error> {
        AgentStatus::read(self.ask(Name::Status, |_| {})?)
    }
}
