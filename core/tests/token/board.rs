//! A board that is a model: flash whose power fails, a button, a tick.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use nkey_core::token::{Board, Info, Light, RandomFailed, storage_len};

pub const SECTOR: usize = 4096;

/// What an erase leaves behind in which the power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    Old,
    Blank,
    Noise,
}

/// NOR flash: bits are programmed from 1 to 0, a byte or a sector at a time is a step, and
/// after so many steps the power fails.
#[derive(Clone)]
pub struct Flash {
    pub bytes: Vec<u8>,
    /// Steps until the power fails; the step at 0 is torn.
    pub left: Option<u64>,
    pub torn: Torn,
    pub steps: u64,
    /// Which steps were erases.
    pub erases: Vec<u64>,
    /// Which steps were the first and the last of a write.
    pub edges: Vec<u64>,
    pub dead: bool,
    /// Which bytes were read or programmed, if somebody wants to know.
    pub touched: Vec<bool>,
    noise: u64,
}

impl Flash {
    pub fn new() -> Flash {
        Flash {
            bytes: vec![0xFF; storage_len(SECTOR)],
            left: None,
            torn: Torn::Blank,
            steps: 0,
            erases: Vec::new(),
            edges: Vec::new(),
            dead: false,
            touched: Vec::new(),
            noise: 1,
        }
    }

    /// The same contents, powered up again.
    pub fn restored(&self) -> Flash {
        Flash {
            bytes: self.bytes.clone(),
            noise: self.noise,
            ..Flash::new()
        }
    }

    /// Counts a step; whether it is the one in which the power fails.
    fn step(&mut self) -> Result<bool, NorFlashErrorKind> {
        if self.dead {
            return Err(NorFlashErrorKind::Other);
        }
        self.steps += 1;
        match &mut self.left {
            Some(0) => {
                self.dead = true;
                Ok(true)
            }
            Some(left) => {
                *left -= 1;
                Ok(false)
            }
            None => Ok(false),
        }
    }

    fn touch(&mut self, from: usize, len: usize) {
        if let Some(touched) = self.touched.get_mut(from..from + len) {
            touched.fill(true);
        }
    }

    fn noise(&mut self) -> u8 {
        self.noise = step_noise(self.noise);
        (self.noise >> 32) as u8
    }
}

pub fn step_noise(state: u64) -> u64 {
    state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        if self.dead {
            return Err(NorFlashErrorKind::Other);
        }
        let from = offset as usize;
        let range = self.bytes.get(from..from + bytes.len());
        bytes.copy_from_slice(range.ok_or(NorFlashErrorKind::OutOfBounds)?);
        self.touch(from, bytes.len());
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        assert!((from as usize).is_multiple_of(SECTOR) && to - from == SECTOR as u32);
        self.erases.push(self.steps);
        let cut = self.step()?;
        for at in from as usize..to as usize {
            self.bytes[at] = match (cut, self.torn) {
                (false, _) | (true, Torn::Blank) => 0xFF,
                (true, Torn::Old) => self.bytes[at],
                (true, Torn::Noise) => self.noise(),
            };
        }
        if cut {
            Err(NorFlashErrorKind::Other)
        } else {
            Ok(())
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.touch(offset as usize, bytes.len());
        self.edges
            .extend([self.steps, self.steps + bytes.len() as u64 - 1]);
        for (at, byte) in bytes.iter().enumerate() {
            let cut = self.step()?;
            let noise = if cut { self.noise() } else { 0 };
            let cell = &mut self.bytes[offset as usize + at];
            assert_eq!(*cell, 0xFF, "a byte is programmed twice");
            *cell = byte | noise;
            if cut {
                return Err(NorFlashErrorKind::Other);
            }
        }
        Ok(())
    }
}

pub struct Model {
    pub flash: Flash,
    pub pressed: bool,
    pub ticks: u64,
    pub light: Light,
    pub panicked: bool,
    pub random_fails: bool,
    /// Steps of the flash when a PIN was first worked on.
    pub worked: Option<u64>,
    seed: u64,
}

impl Model {
    pub fn new(flash: Flash) -> Model {
        Model {
            flash,
            pressed: false,
            ticks: 0,
            light: Light::Off,
            panicked: false,
            random_fails: false,
            worked: None,
            seed: 7,
        }
    }

    /// With other random bytes.
    pub fn seeded(flash: Flash, seed: u64) -> Model {
        Model {
            seed,
            ..Model::new(flash)
        }
    }
}

impl Board for Model {
    type Flash = Flash;

    fn flash(&mut self) -> &mut Flash {
        &mut self.flash
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed> {
        if self.random_fails {
            return Err(RandomFailed);
        }
        for byte in bytes {
            self.seed = step_noise(self.seed);
            *byte = (self.seed >> 33) as u8;
        }
        Ok(())
    }

    fn working(&mut self) {
        self.worked.get_or_insert(self.flash.steps);
    }

    fn pressed(&mut self) -> bool {
        self.pressed
    }

    fn light(&mut self, light: Light) {
        self.light = light;
    }

    fn ticks(&mut self) -> u64 {
        self.ticks
    }

    fn info(&self) -> Info<'_> {
        Info {
            firmware: "0.1.0",
            hash: [0xAB; 32],
            serial: "MODEL-1",
            chip: "model",
            is_virtual: true,
            panicked: self.panicked,
        }
    }
}
