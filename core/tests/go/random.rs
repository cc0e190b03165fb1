//! Random numbers from a seed (SplitMix64).

pub struct Random(u64);

impl Random {
    /// A stream of its own for each test.
    pub fn new(stream: u64) -> Random {
        Random(crate::peer::seed() ^ stream.wrapping_mul(0xA076_1D64_78BD_642F))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Up to `most` of these, joined.
    pub fn join(&mut self, most: usize, with: &str, from: &[&str]) -> String {
        let pieces: Vec<_> = (0..=self.below(most)).map(|_| self.pick(from)).collect();
        pieces.join(with)
    }
}
