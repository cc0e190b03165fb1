//! A true random number generator that makes blocks and tests them itself, as the RP2350's does.

use crate::random::{Failed, Noise};

/// Bytes of a block.
pub const BLOCK: usize = 24;
/// Looks at the generator before a request is given up, a quarter of a second and more: a block takes 2 ms.
const LOOKS: u32 = 4_000_000;
/// Blocks of one request whose tests may fail.
const FAILURES: u32 = 32;

/// How the generator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It collects.
    Busy,
    /// A block is there. It was taken.
    Block([u8; BLOCK]),
    /// One of its tests failed.
    Failed,
}

/// The generator.
pub trait Generator {
    /// Starts it; after a failure from its beginning.
    fn start(&mut self);

    /// Looks at it once.
    fn look(&mut self) -> Look;

    /// Stops it.
    fn stop(&mut self);
}

/// Its blocks as noise. A generator that stands or repeats itself fails, it never holds anybody up.
pub struct Blocks<G> {
    generator: G,
    last: Option<[u8; BLOCK]>,
}

impl<G: Generator> Blocks<G> {
    /// Of this generator.
    pub fn new(generator: G) -> Blocks<G> {
        Blocks {
            generator,
            last: None,
        }
    }

    fn blocks(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        let (mut looks, mut failures) = (LOOKS, FAILURES);
        for part in bytes.chunks_mut(BLOCK) {
            let block = loop {
                looks = looks.checked_sub(1).ok_or(Failed)?;
                match self.generator.look() {
                    Look::Busy => {}
                    Look::Block(block) => break block,
                    Look::Failed => {
                        failures = failures.checked_sub(1).ok_or(Failed)?;
                        self.generator.start();
                    }
                }
            };
            let is_flat = block.iter().all(|byte| *byte == block[0]);
            if is_flat || self.last.replace(block) == Some(block) {
                return Err(Failed);
            }
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(())
    }
}

impl<G: Generator> Noise for Blocks<G> {
    /// Twice what full entropy would take.
    const SEED: usize = 64;

    fn start(&mut self) -> Result<(), Failed> {
        self.fill(&mut [0; 2 * BLOCK])
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.generator.start();
        let filled = self.blocks(bytes);
        self.generator.stop();
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// What it does at each look, the last of it for ever.
    struct Model<F: FnMut(u32) -> Look> {
        does: F,
        looks: u32,
        runs: bool,
        starts: u32,
    }

    impl<F: FnMut(u32) -> Look> Generator for Model<F> {
        fn start(&mut self) {
            self.runs = true;
            self.starts += 1;
        }

        fn look(&mut self) -> Look {
            assert!(self.runs);
            self.looks += 1;
            (self.does)(self.looks)
        }

        fn stop(&mut self) {
            self.runs = false;
        }
    }

    fn model<F: FnMut(u32) -> Look>(does: F) -> Blocks<Model<F>> {
        Blocks::new(Model {
            does,
            looks: 0,
            runs: false,
            starts: 0,
        })
    }

    fn block(number: u32) -> Look {
        let mut block = [7; BLOCK];
        block[..4].copy_from_slice(&number.to_le_bytes());
        Look::Block(block)
    }

    #[test]
    fn its_blocks_are_the_noise() {
        let mut noise = model(|look| {
            if look % 3 == 0 {
                block(look)
            } else {
                Look::Busy
            }
        });
        let mut bytes = [0; 64];
        assert_eq!(noise.fill(&mut bytes), Ok(()));
        assert_eq!((bytes[0], bytes[24], bytes[48], bytes[63]), (3, 6, 9, 7));
        assert!(!noise.generator.runs);
        assert_eq!(noise.generator.starts, 1);
        let mut random = Random::new(noise, b"A");
        assert_eq!(random.fill(&mut bytes), Ok(()));
    }

    #[test]
    fn a_test_that_fails_now_and_then_is_repeated() {
        let mut noise = model(|look| {
            if look % 2 == 0 {
                block(look)
            } else {
                Look::Failed
            }
        });
        assert_eq!(noise.fill(&mut [0; 64]), Ok(()));
        assert_eq!(noise.generator.starts, 4);
    }

    #[test]
    fn one_that_stands_fails_or_repeats_itself_is_no_noise() {
        let stands = |_| Look::Busy;
        let fails = |_| Look::Failed;
        let repeats = |_| block(1);
        let flat = |_| Look::Block([0xFF; BLOCK]);
        let models: [fn(u32) -> Look; 4] = [stands, fails, repeats, flat];
        for does in models {
            let mut noise = model(does);
            assert_eq!(noise.start(), Err(Failed));
            assert!(!noise.generator.runs);
            let mut random = Random::new(noise, b"A");
            assert_eq!(random.fill(&mut [0; 8]), Err(Failed));
        }
        // Later on as well, and once is enough.
        let later = |look| {
            if (20..30).contains(&look) {
                block(20)
            } else {
                block(look)
            }
        };
        let mut random = Random::new(model(later), b"A");
        let made: Vec<bool> = (0..12).map(|_| random.fill(&mut [0; 8]).is_ok()).collect();
        let good = made.iter().take_while(|good| **good).count();
        assert!((1..11).contains(&good), "{made:?}");
        assert!(made[good..].iter().all(|good| !good), "{made:?}");
    }
}
