//! Random bytes: a noise source, conditioned through the generator for every request.

use crate::drbg::Drbg;
use crate::health::{Health, WINDOW};
use zeroize::Zeroize;

/// The noise source failed a test. Only a new start helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// Where noise comes from.
pub trait Noise {
    /// Bytes that hold 256 bits of entropy, at most [`MOST`].
    const SEED: usize;

    /// The tests before the first use.
    ///
    /// # Errors
    /// [`Failed`].
    fn start(&mut self) -> Result<(), Failed>;

    /// Fills `bytes` with noise.
    ///
    /// # Errors
    /// [`Failed`].
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed>;
}

/// Most bytes of noise at a time.
pub const MOST: usize = 256;

/// Raw bits under the two continuous tests, as noise.
pub struct Tested<B> {
    bit: B,
    health: Health,
}

impl<B: FnMut() -> bool> Tested<B> {
    /// Of bits that are asked one by one.
    pub fn new(bit: B) -> Tested<B> {
        Tested {
            bit,
            health: Health::new(),
        }
    }

    fn next(&mut self) -> bool {
        let bit = (self.bit)();
        self.health.look(bit);
        bit
    }

    fn verdict(&self) -> Result<(), Failed> {
        if self.health.is_good() {
            Ok(())
        } else {
            Err(Failed)
        }
    }
}

impl<B: FnMut() -> bool> Noise for Tested<B> {
    /// An eighth of a bit of entropy in each bit, as the tests assume.
    const SEED: usize = 256;

    fn start(&mut self) -> Result<(), Failed> {
        for _ in 0..2 * WINDOW {
            self.next();
        }
        self.verdict()
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        for byte in bytes {
            *byte = (0..8).fold(0, |byte, _| byte << 1 | u8::from(self.next()));
        }
        self.verdict()
    }
}

/// Random bytes of noise.
pub struct Random<N> {
    noise: N,
    drbg: Option<Drbg>,
}

impl<N: Noise> Random<N> {
    /// Tests the noise and seeds the generator; `personal` sets this board apart from others.
    pub fn new(mut noise: N, personal: &[u8]) -> Random<N> {
        let mut seeded = || {
            noise.start()?;
            // Half as much again, for the nonce.
            let mut entropy = [0; MOST + MOST / 2];
            let entropy = &mut entropy[..N::SEED.min(MOST) / 2 * 3];
            for part in entropy.chunks_mut(MOST) {
                noise.fill(part)?;
            }
            let drbg = Drbg::new(entropy, personal);
            entropy.zeroize();
            Ok::<_, Failed>(drbg)
        };
        let drbg = seeded().ok();
        Random { noise, drbg }
    }

    /// Fills `bytes`. Fresh noise goes into every request.
    ///
    /// # Errors
    /// [`Failed`] when the noise did not pass its tests, now or earlier.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        let mut entropy = [0; MOST];
        let entropy = &mut entropy[..N::SEED.min(MOST)];
        let fresh = self.noise.fill(entropy);
        if fresh.is_err() {
            self.drbg = None;
        }
        let drbg = self.drbg.as_mut().ok_or(Failed)?;
        drbg.reseed(entropy);
        entropy.zeroize();
        drbg.generate(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(mut state: u64) -> impl FnMut() -> bool {
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state & 1 == 1
        }
    }

    fn some(random: &mut Random<impl Noise>) -> Result<[u8; 32], Failed> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes).map(|()| bytes)
    }

    #[test]
    fn noise_and_board_make_the_bytes() {
        let first = |seed, board: &[u8]| {
            some(&mut Random::new(Tested::new(bits(seed)), board)).expect("good noise")
        };
        assert_eq!(first(1, b"A"), first(1, b"A"));
        assert_ne!(first(1, b"A"), first(2, b"A"));
        assert_ne!(first(1, b"A"), first(1, b"B"));
        let mut random = Random::new(Tested::new(bits(1)), b"A");
        assert_ne!(some(&mut random), some(&mut random));
    }

    #[test]
    fn a_source_that_is_stuck_at_the_start_gives_nothing() {
        let mut random = Random::new(Tested::new(|| false), b"A");
        assert_eq!(some(&mut random), Err(Failed));
    }

    #[test]
    fn a_source_that_gets_stuck_gives_nothing_ever_again() {
        let mut left = 20_000;
        let mut good = bits(1);
        let sometimes = || {
            left -= 1;
            // It recovers, after a thousand equal bits.
            let bit = good();
            if (-1_000..0).contains(&left) {
                true
            } else {
                bit
            }
        };
        let mut random = Random::new(Tested::new(sometimes), b"A");
        assert!(some(&mut random).is_ok());
        let outcomes: Vec<bool> = (0..20).map(|_| some(&mut random).is_ok()).collect();
        let first = outcomes.iter().position(|ok| !ok).expect("a failure");
        assert!(first > 0);
        assert!(outcomes[first..].iter().all(|ok| !ok), "{outcomes:?}");
    }
}
