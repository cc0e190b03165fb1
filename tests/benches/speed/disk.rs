//! Waits until the disk makes files at its usual speed.

use std::fs::{self, File};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What making an empty file takes at most while nothing is in its way: 10 to 30 us on ext4.
const USUAL: Duration = Duration::from_micros(100);

/// The longest that ext4 does not reuse the inode of a deleted file, and a little more.
const PATIENCE: Duration = Duration::from_secs(330);

/// Waits while files that were deleted before make new ones slow.
///
/// ext4 does not reuse an inode for five minutes after its file was deleted and steps over
/// every such inode whenever it makes a file (`recently_deleted` in the kernel's
/// fs/ext4/ialloc.c). A run of tests or of this bench deletes tens of thousands; a file then
/// takes 0.4 ms instead of 0.02 ms, which is as much as a whole command should differ by.
pub fn settle(dir: &Path) {
    let started = Instant::now();
    while making(dir) > USUAL && started.elapsed() < PATIENCE {
        eprintln!(
            "making a file takes {:.2} ms, because many were deleted in the last 5 minutes: waiting",
            making(dir).as_secs_f64() * 1e3
        );
        sleep(Duration::from_secs(15));
    }
}

/// The shortest of eight times of making an empty file.
fn making(dir: &Path) -> Duration {
    let took = |number: u32| {
        let path = dir.join(format!("probe-{number}"));
        let started = Instant::now();
        File::create_new(&path).expect("a new file");
        let took = started.elapsed();
        fs::remove_file(path).expect("to remove it");
        took
    };
    (0..8).map(took).min().unwrap_or_default()
}
