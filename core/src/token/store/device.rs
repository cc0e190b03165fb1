//! What makes a token this one: a secret that every PIN is stretched with, and the device key.

use super::{Fault, RECORD};
use crate::token::board::Board;
use crate::token::flash::Place;
use embedded_storage::nor_flash::NorFlash;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The record of the device.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(in crate::token) struct Device {
    /// A factory reset has begun and not ended: all other records mean nothing.
    pub(in crate::token) resetting: bool,
    /// Goes into the stretching of PINs.
    pub(in crate::token) secret: [u8; 32],
    /// The seed of the device key.
    pub(in crate::token) seed: [u8; 32],
    /// The device key.
    pub(in crate::token) key: [u8; 32],
}

impl Device {
    /// None: flash was never a token's.
    pub(in crate::token) fn read<F: NorFlash>(
        flash: &mut F,
        buf: &mut [u8; RECORD],
    ) -> Result<Option<Device>, Fault> {
        let log = Place::Device.log::<F>();
        if let Some(found) = log.newest(flash, buf)? {
            let device = postcard::from_bytes(&buf[..found.len]);
            buf.zeroize();
            return device.map(Some).map_err(|_| Fault::Device);
        }
        if log.is_lost(flash)? {
            return Err(Fault::Device);
        }
        for place in Place::others() {
            let log = place.log::<F>();
            if log.newest(flash, buf)?.is_some() || log.is_lost(flash)? {
                return Err(Fault::Device);
            }
        }
        Ok(None)
    }

    /// Wipes everything and makes a new device: marked first, so that an interrupted wipe
    /// goes on at the next power-up.
    pub(in crate::token) fn renew<B: Board>(
        board: &mut B,
        buf: &mut [u8; RECORD],
    ) -> Result<Device, Fault> {
        let mut device = Device {
            resetting: true,
            secret: [0; 32],
            seed: [0; 32],
            key: [0; 32],
        };
        device.write(board.flash(), buf)?;
        super::clear(board.flash())?;
        board
            .random(&mut device.secret)
            .and_then(|()| board.random(&mut device.seed))
            .map_err(|_| Fault::Random)?;
        let seed = ed25519_compact::Seed::new(device.seed);
        let pair = ed25519_compact::KeyPair::try_from_seed(seed).map_err(|_| Fault::Random)?;
        device.key = *pair.pk;
        device.resetting = false;
        device.write(board.flash(), buf)?;
        Ok(device)
    }

    fn write<F: NorFlash>(&self, flash: &mut F, buf: &mut [u8; RECORD]) -> Result<(), Fault> {
        let payload = postcard::to_slice(self, buf).map_err(|_| Fault::Device)?;
        let written = Place::Device.log::<F>().append(flash, payload);
        buf.zeroize();
        Ok(written?)
    }
}
