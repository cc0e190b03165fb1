//! Writing an image to a drive, to the last block and no further.

use super::volume::Volume;
use crate::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};

/// The file on the drive; a bootloader takes any name.
const NAME: &str = "NKEY.UF2";
/// Bytes between one look at whether they have arrived and the next.
const CHUNK: usize = 16 * 1024;
/// Characters of the progress bar.
const WIDTH: usize = 32;

/// Something that can be written to and says what has arrived.
trait Drive: Write {
    fn sync(&mut self) -> io::Result<()>;
}

impl Drive for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Writes an image; whether all of it is known to have arrived. A board restarts with the last
/// block, and may be gone before it says so: then only its hash tells.
///
/// # Errors
/// If the drive was gone half way.
pub fn image(volume: &Volume, bytes: &[u8]) -> Result<bool, Error> {
    let path = volume.dir.join(NAME);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))?;
    let mut bar = Bar::new();
    let written = chunks(&mut file, bytes, |done| bar.show(done, bytes.len()));
    bar.end();
    written.map_err(|(done, error)| {
        Error::failed(format!(
            "the drive {} was gone after {done} of {} bytes ({error}): {AGAIN}",
            volume.shown(),
            bytes.len()
        ))
    })
}

const AGAIN: &str = "the board has no whole firmware now, and its keys are as they were. Hold BOOTSEL while you plug it in, and flash it again";

/// The error for a drive that was gone with the last block, where no token came back.
pub fn gone(volume: &Volume) -> Error {
    Error::failed(format!(
        "the drive {} was gone before it said that the last block had arrived, and no token was seen: {AGAIN}",
        volume.shown()
    ))
}

fn chunks(
    drive: &mut impl Drive,
    bytes: &[u8],
    mut done: impl FnMut(usize),
) -> Result<bool, (usize, io::Error)> {
    let mut at = 0;
    for chunk in bytes.chunks(CHUNK) {
        let is_last = at + chunk.len() == bytes.len();
        match drive.write_all(chunk).and_then(|()| drive.sync()) {
            Ok(()) => {}
            Err(_) if is_last => return Ok(false),
            Err(error) => return Err((at, error)),
        }
        at += chunk.len();
        done(at);
    }
    Ok(true)
}

/// How far it is, for somebody who watches.
struct Bar {
    watched: bool,
}

impl Bar {
    fn new() -> Bar {
        Bar {
            watched: io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, done: usize, all: usize) {
        if self.watched {
            let full = WIDTH * done / all.max(1);
            eprint!(
                "\rwriting [{}{}] {:3} %",
                "#".repeat(full),
                " ".repeat(WIDTH - full),
                100 * done / all.max(1)
            );
        }
    }

    fn end(&mut self) {
        if self.watched {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drive that is gone after so many bytes.
    struct Short {
        left: usize,
        arrived: Vec<u8>,
    }

    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.arrived.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drive for Short {
        fn sync(&mut self) -> io::Result<()> {
            match self.arrived.len() <= self.left {
                true => Ok(()),
                false => Err(io::ErrorKind::NotConnected.into()),
            }
        }
    }

    #[test]
    fn a_drive_that_is_gone_half_way_is_noticed_at_once() {
        let bytes: Vec<u8> = (0..CHUNK * 3 + 512).map(|at| at as u8).collect();
        let write = |left| {
            let mut drive = Short {
                left,
                arrived: Vec::new(),
            };
            let mut seen = 0;
            let end = chunks(&mut drive, &bytes, |done| seen = done);
            (end.map_err(|(at, _)| at), seen, drive.arrived)
        };
        let (end, seen, arrived) = write(bytes.len());
        assert_eq!((end, seen), (Ok(true), bytes.len()));
        assert_eq!(arrived, bytes);
        // The board restarts with the last block.
        assert_eq!(write(bytes.len() - 1).0, Ok(false));
        let (end, seen, arrived) = write(CHUNK * 2 - 1);
        assert_eq!((end, seen), (Err(CHUNK), CHUNK));
        assert_eq!(arrived.len(), CHUNK * 2);
        assert_eq!(write(0).0, Err(0));
    }
}
