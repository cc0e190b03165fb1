//! A token's whole request for a signature, beside the signature and its check alone.

use crate::work::{Line, TICK, claims, ticks};
use crate::{print, stack_of};
use core::cell::UnsafeCell;
use core::fmt::Write;
use core::hint::black_box;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::{
    Answer, App, Board, Command, FRAME_LEN, Info, Init, Light, Memory, RandomFailed, Request,
    Response, Session, decode, encode, storage_len,
};
use nkey_core::{canonical, jwt};

const SECTOR: usize = 4096;
const NOW: u64 = 1_678_973_945;
const PIN: &[u8] = b"correct horse";
const TAG: &str = "a-tag-of-fifty-bytes-as-nobody-would-write-it-down-1";
/// As long as the claims that people sign: 600 bytes.
const TAGS: [&str; 4] = [TAG; 4];
/// And nearly as long as a token takes: 32 KiB.
const MANY: [&str; 435] = [TAG; 435];

/// Memory that is used once.
struct Once<T>(UnsafeCell<T>);

// SAFETY: there is one thread.
unsafe impl<T> Sync for Once<T> {}

impl<T> Once<T> {
    /// # Safety
    /// To be called once.
    #[expect(clippy::mut_from_ref, reason = "called once")]
    unsafe fn take(&self) -> &mut T {
        unsafe { &mut *self.0.get() }
    }
}

static FLASH: Once<[u8; storage_len(SECTOR)]> = Once(UnsafeCell::new([0; storage_len(SECTOR)]));
static MEMORY: Once<Memory> = Once(UnsafeCell::new(Memory::new()));
static MESSAGE: Once<[u8; FRAME_LEN]> = Once(UnsafeCell::new([0; FRAME_LEN]));
static BUFFERS: Once<[[u8; FRAME_LEN]; 2]> = Once(UnsafeCell::new([[0; FRAME_LEN]; 2]));

struct Ram(&'static mut [u8]);

impl ErrorType for Ram {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Ram {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        let found = self.0.get(from..from + bytes.len());
        bytes.copy_from_slice(found.ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Ram {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.0
            .get_mut(from as usize..to as usize)
            .ok_or(NorFlashErrorKind::OutOfBounds)?
            .fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        let cells = self.0.get_mut(from..from + bytes.len());
        for (cell, byte) in cells
            .ok_or(NorFlashErrorKind::OutOfBounds)?
            .iter_mut()
            .zip(bytes)
        {
            *cell &= byte;
        }
        Ok(())
    }
}

struct Model {
    flash: Ram,
    ticks: u64,
    random: u32,
}

impl Board for Model {
    type Flash = Ram;

    fn flash(&mut self) -> &mut Ram {
        &mut self.flash
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed> {
        for byte in bytes {
            self.random = self
                .random
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            *byte = (self.random >> 24) as u8;
        }
        Ok(())
    }

    /// Released for a moment, then held.
    fn pressed(&mut self) -> bool {
        self.ticks += 50;
        self.ticks % 10_000 > 500
    }

    fn light(&mut self, _: Light) {
        self.ticks = self.ticks.next_multiple_of(10_000);
    }

    fn ticks(&mut self) -> u64 {
        self.ticks
    }

    fn info(&self) -> Info<'_> {
        Info {
            firmware: "0",
            hash: [0; 32],
            serial: "QEMU",
            chip: "QEMU",
            is_virtual: true,
            panicked: false,
        }
    }
}

struct Token {
    app: App<Model>,
    buffers: &'static mut [[u8; FRAME_LEN]; 2],
}

impl Token {
    /// The request's frame, in the second buffer; its length.
    fn frame(&mut self, session: Option<Session>, command: Command<'_>) -> usize {
        let [scratch, frame] = &mut *self.buffers;
        encode(
            &Request {
                id: 1,
                session,
                command,
            },
            scratch,
            frame,
        )
        .unwrap_or(0)
    }

    /// Sends the frame and presses the button; shows the last answer.
    fn call<T>(
        &mut self,
        session: Option<Session>,
        command: Command<'_>,
        look: impl FnOnce(Answer<'_>) -> Option<T>,
    ) -> Option<T> {
        let len = self.frame(session, command);
        self.app.receive(&self.buffers[1][..len]);
        if self.app.waits_for().is_some() {
            self.app.sent(usize::MAX / 2);
            for _ in 0..100 {
                self.app.poll();
            }
        }
        let output = self.app.output();
        let count = output.len();
        let place = &mut self.buffers[0][..count];
        place.copy_from_slice(output);
        self.app.sent(count);
        let response: Response<'_> = postcard::from_bytes(decode(place)?).ok()?;
        look(response.answer)
    }
}

fn done(answer: Answer<'_>) -> Option<()> {
    matches!(answer, Answer::Done).then_some(())
}

/// A token with an account's key that asks nobody, and a session.
fn ready() -> Option<(Token, Session, PublicKey)> {
    // SAFETY: this runs once.
    let (flash, memory, buffers) = unsafe { (FLASH.take(), MEMORY.take(), BUFFERS.take()) };
    flash.fill(0xFF);
    let board = Model {
        flash: Ram(flash),
        ticks: 0,
        random: 1,
    };
    let mut token = Token {
        app: App::new(board, memory),
        buffers,
    };
    let init = Init {
        pin: PIN,
        time: NOW,
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 86_400,
    };
    token.call(None, Command::Init(init), done)?;
    let session = token.call(
        None,
        Command::Unlock {
            pin: PIN,
            time: NOW,
        },
        |answer| match answer {
            Answer::Session { session, .. } => Some(session),
            _ => None,
        },
    )?;
    let make = Command::Generate {
        kind: Kind::Account.prefix(),
        name: "account",
        exportable: false,
    };
    let key = token.call(Some(session), make, |answer| match answer {
        Answer::Key(key) => Some(PublicKey::from_bytes(Kind::Account, key.key)),
        _ => None,
    })?;
    let policy = Policy {
        presence: Presence::Never,
        ..Policy::new(Kind::Account)
    };
    token.call(Some(session), Command::Loosen { slot: 0, policy }, done)?;
    Some((token, session, key))
}

pub fn measure() {
    let Some((mut token, session, key)) = ready() else {
        return print("the token is not ready\n\0");
    };
    let mut buf = [0u8; 1024];
    let mut claim = claims();
    claim.generic.tags = &TAGS;
    let Ok(len) = jwt::prepare(&claim, &key, NOW as i64, &mut buf) else {
        return print("no claim\n\0");
    };
    let message = &buf[..len];

    // What ed25519-compact takes alone, beside the step of a token's request: the pair of an
    // opened seal, its signature, the pair wiped, the signature checked.
    let Ok(pair) = KeyPair::from_seed(&Seed::from_bytes(Kind::Account, [7; 32])) else {
        return print("no key\n\0");
    };
    let (expanded, public) = (*pair.expanded(), pair.public_key());
    let mut good = true;
    let mut bare = [0u8; 64];
    let sign = ticks(|| {
        let secret = ed25519_compact::SecretKey::new(black_box(expanded));
        bare = *secret.sign(black_box(message), None);
    });
    let alone = sign
        + ticks(|| {
            let public = ed25519_compact::PublicKey::new(*public.as_bytes());
            let signature = ed25519_compact::Signature::new(bare);
            good &= public.verify(black_box(message), &signature).is_ok();
        });
    let step = ticks(|| {
        let pair = KeyPair::from_expanded(Kind::Account, black_box(expanded));
        let signature = pair.sign(black_box(message));
        drop(pair);
        good &= public.verify(message, &signature) && *signature.as_bytes() == bare;
    });
    if !good {
        return print("a signature is wrong\n\0");
    }
    let mut payload = [0u8; 1024];
    let chunk = &message[jwt::HEADER.len() + 1..];
    let Some(payload) = decoded(chunk, &mut payload) else {
        return print("no payload\n\0");
    };
    let reading = ticks(|| {
        black_box(canonical::read(black_box(payload), &mut ()).is_ok());
    });

    let command = Command::Sign { slot: 0, message };
    // Once for the counters' first entries, then twice for the measures.
    let mut signed = 0;
    let mut count = |answer: Answer<'_>| {
        signed += u32::from(matches!(answer, Answer::Signature(_)));
        Some(())
    };
    token.call(Some(session), command, &mut count);
    let frame = token.frame(Some(session), command);
    let stack = stack_of(|| {
        token.app.receive(&token.buffers[1][..frame]);
    });
    token.app.sent(usize::MAX / 2);
    let whole = ticks(|| {
        token.app.receive(&token.buffers[1][..frame]);
    });
    token.app.sent(usize::MAX / 2);
    token.call(Some(session), command, &mut count);

    claim.generic.tags = &MANY;
    // SAFETY: this runs once.
    let buf = unsafe { MESSAGE.take() };
    let Ok(large) = jwt::prepare(&claim, &key, NOW as i64, buf) else {
        return print("no large claim\n\0");
    };
    let command = Command::Sign {
        slot: 0,
        message: &buf[..large],
    };
    let frame = token.frame(Some(session), command);
    let deep = stack_of(|| {
        token.app.receive(&token.buffers[1][..frame]);
    });
    token.app.sent(usize::MAX / 2);
    token.call(Some(session), command, &mut count);
    let mut line = Line::new();
    let _ = write!(
        line,
        "payload {} signed {signed} sign {} alone {} step {} whole {} reading {} stack {stack} large {large} deep {deep}\n",
        payload.len(),
        sign * TICK,
        alone * TICK,
        step * TICK,
        whole * TICK,
        reading * TICK
    );
    print(line.text());
}

fn decoded<'p>(chunk: &[u8], payload: &'p mut [u8]) -> Option<&'p [u8]> {
    let len = data_encoding::BASE64URL_NOPAD
        .decode_len(chunk.len())
        .ok()?;
    let place = payload.get_mut(..len)?;
    data_encoding::BASE64URL_NOPAD
        .decode_mut(chunk, place)
        .ok()?;
    Some(place)
}
