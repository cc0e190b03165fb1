//! The master key, sealed under the PIN, and what `Init` fixed.

use super::{Fault, RECORD};
use crate::token::flash::Place;
use crate::token::seal::{self, Sealed, Secret32};
use embedded_storage::nor_flash::NorFlash;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What only a factory reset changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::token) struct Config {
    pub(in crate::token) importable: bool,
    pub(in crate::token) peer: Option<[u8; 32]>,
    pub(in crate::token) drift_days: u16,
    pub(in crate::token) idle_seconds: u32,
    pub(in crate::token) iterations: u32,
}

/// The record of the master key.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::token) struct Master {
    pub(in crate::token) config: Config,
    salt: [u8; 16],
    sealed: Sealed,
}

impl Master {
    /// Seals `master` under a PIN. None: the configuration is longer than any record.
    pub(in crate::token) fn new(
        config: Config,
        pin: &[u8],
        device: &[u8; 32],
        fresh: ([u8; 16], [u8; 12]),
        master: &[u8; 32],
        working: &mut dyn FnMut(),
    ) -> Option<Master> {
        let (salt, nonce) = fresh;
        let key = seal::stretch(pin, &salt, device, config.iterations, working);
        let sealed = seal::seal(&key, nonce, &about(&config, &salt)?, master)?;
        Some(Master {
            config,
            salt,
            sealed,
        })
    }

    /// The master key, if the PIN is right.
    pub(in crate::token) fn open(
        &self,
        pin: &[u8],
        device: &[u8; 32],
        working: &mut dyn FnMut(),
    ) -> Option<Secret32> {
        let key = seal::stretch(pin, &self.salt, device, self.config.iterations, working);
        seal::open(&key, &about(&self.config, &self.salt)?, &self.sealed)
    }

    /// None: no PIN was set yet.
    pub(in crate::token) fn read<F: NorFlash>(
        flash: &mut F,
        buf: &mut [u8; RECORD],
    ) -> Result<Option<Master>, Fault> {
        let found = Place::Master
            .log::<F>()
            .newest(flash, buf)?
            .ok_or(Fault::Master)?;
        postcard::from_bytes(&buf[..found.len]).map_err(|_| Fault::Master)
    }

    pub(in crate::token) fn write<F: NorFlash>(
        &self,
        flash: &mut F,
        buf: &mut [u8; RECORD],
    ) -> Result<(), Fault> {
        let payload = postcard::to_slice(&Some(self), buf).map_err(|_| Fault::Master)?;
        Ok(Place::Master.log::<F>().append(flash, payload)?)
    }
}

fn about(config: &Config, salt: &[u8; 16]) -> Option<[u8; 32]> {
    let mut buf = [0u8; 96];
    let config = postcard::to_slice(config, &mut buf).ok()?;
    let mut hasher = Sha256::new();
    hasher.update(b"nkey-token-master-v1\0");
    hasher.update(salt);
    hasher.update(&*config);
    Some(hasher.finalize().into())
}
