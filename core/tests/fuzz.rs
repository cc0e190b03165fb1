//! The checks of fuzz/ without a fuzzer: over its seeds, and over random changes to them.
//!
//! `NKEY_FUZZ` is the number of changes for each check (default 3000), `NKEY_SEED` the seed of what is
//! random (default: a fresh one, which is printed), `NKEY_TOOLS` as in tests/go.

#[path = "../../fuzz/src/checks.rs"]
mod checks;
#[path = "../../fuzz/src/go.rs"]
mod go;

use std::path::Path;
use std::time::UNIX_EPOCH;

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is not a number")),
    )
}

/// Random numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

/// The words of fuzz/claims.dict, in libFuzzer's escapes.
fn words() -> Vec<Vec<u8>> {
    let lines = include_str!("../../fuzz/claims.dict").lines();
    lines
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'))
        .map(word)
        .collect()
}

fn word(mut quoted: &str) -> Vec<u8> {
    let mut word = Vec::new();
    while let Some((before, after)) = quoted.split_once('\\') {
        word.extend_from_slice(before.as_bytes());
        let len = if after.starts_with('x') { 3 } else { 1 };
        word.push(match &after[..len] {
            hex if len == 3 => u8::from_str_radix(&hex[1..], 16).expect("two digits"),
            letter => letter.as_bytes()[0],
        });
        quoted = &after[len..];
    }
    word.extend_from_slice(quoted.as_bytes());
    word
}

/// A few changes in one of the seeds.
fn changed(seeds: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut data = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(3) {
        let at = random.below(data.len() + 1);
        let end = (at + 1 + random.below(12)).min(data.len());
        match random.below(7) {
            0 if at < data.len() => data[at] ^= 1 << random.below(8),
            1 if at < data.len() => data[at] = random.below(256) as u8,
            2 => drop(data.splice(at..end, [])),
            3 => {
                let piece = data[at..end].to_vec();
                drop(data.splice(end..end, piece));
            }
            4 => drop(data.splice(at..at, words[random.below(words.len())].clone())),
            5 => drop(data.splice(at..end, words[random.below(words.len())].clone())),
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let piece = other[from..].iter().copied().take(1 + random.below(40));
                drop(data.splice(at..end, piece.collect::<Vec<_>>()));
            }
        }
    }
    data
}

fn run(folder: &str, mut check: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(folder);
    let mut seeds: Vec<_> = std::fs::read_dir(&folder)
        .expect("seeds")
        .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a seed"))
        .collect();
    seeds.sort_unstable();
    let now = UNIX_EPOCH.elapsed().expect("a clock after 1970");
    let seed = setting("NKEY_SEED").unwrap_or(now.as_nanos() as u64 >> 10);
    println!("NKEY_SEED={seed}");
    seeds.iter().for_each(|data| check(data));
    let (mut random, words) = (Random(seed), words());
    for _ in 0..setting("NKEY_FUZZ").unwrap_or(3000) {
        let data = changed(&seeds, &words, &mut random);
        let shown = Shown(&data);
        check(&data);
        std::mem::forget(shown);
    }
}

/// Prints the data of a check that panics.
struct Shown<'d>(&'d [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        println!("the data: {:?}", String::from_utf8_lossy(self.0));
    }
}

#[test]
fn canonical() {
    run("payload", checks::canonical);
}

#[test]
fn differential() {
    let mut go = go::Go::start();
    run("payload", |data| checks::differential(data, &mut go));
}

#[test]
fn tolerant() {
    run("payload", checks::tolerant);
}

#[test]
fn token() {
    run("token", checks::token);
}

#[test]
fn nkey() {
    run("nkey", checks::nkey);
}

#[test]
fn creds() {
    run("creds", checks::creds);
}
