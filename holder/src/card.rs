//! A smart card and its APDUs.

use nkey_agent::device::{Failure, Fault};
use pcsc::{Card, Context, Disposition, Protocols, Scope, ShareMode, Transaction};
use std::ffi::CString;
use std::time::{Duration, Instant};

/// Most bytes of data in one command; longer ones are chained.
const CHUNK: usize = 255;
/// Most bytes of a response that comes in parts.
const MAX_RESPONSE: usize = 16 * 1024;

/// Success.
pub const OK: u16 = 0x9000;

/// Longer than pcscd lets a program sleep that waits for a card.
const GAP: Duration = Duration::from_millis(120);

/// Leaves gaps for others. A program that waits for a card looks every 100 ms whether it is
/// free, and would wait for as long as one transaction follows another.
pub struct Pace {
    ours: Duration,
    since: Instant,
    ended: Instant,
}

impl Pace {
    /// No transaction yet; the card may be ours for so long without a gap.
    pub fn new(ours: Duration) -> Pace {
        let now = Instant::now();
        Pace {
            ours,
            since: now,
            ended: now,
        }
    }

    /// Before a transaction.
    pub fn begin(&mut self) {
        if self.ended.elapsed() >= GAP {
            self.since = Instant::now();
        } else if self.since.elapsed() >= self.ours {
            std::thread::sleep(GAP);
            self.since = Instant::now();
        }
    }

    /// After a transaction.
    pub fn end(&mut self) {
        self.ended = Instant::now();
    }
}

/// Why an exchange failed: whether the card was lost, so that it may be there again.
pub enum Fail {
    /// The card was removed or reset, or pcscd restarted.
    Lost(Failure),
    /// All else.
    Told(Failure),
}

impl Fail {
    /// The sentence for whoever does not try again.
    pub fn failure(self) -> Failure {
        match self {
            Fail::Lost(failure) | Fail::Told(failure) => failure,
        }
    }
}

impl From<Failure> for Fail {
    fn from(failure: Failure) -> Fail {
        Fail::Told(failure)
    }
}

impl From<pcsc::Error> for Fail {
    fn from(error: pcsc::Error) -> Fail {
        use pcsc::Error as E;
        let absent = |text: &str| Failure::new(Fault::Absent, text);
        match error {
            E::NoService | E::ServiceStopped => Fail::Lost(absent(
                "pcscd does not run: start it, as by `systemctl start pcscd.socket`",
            )),
            E::NoReadersAvailable | E::UnknownReader | E::ReaderUnavailable => {
                Fail::Lost(absent("its reader is not there: plug it in"))
            }
            E::NoSmartcard | E::RemovedCard => {
                Fail::Lost(absent("the card was removed: plug it in"))
            }
            E::ResetCard
            | E::UnpoweredCard
            | E::InvalidHandle
            | E::CommError
            | E::NotTransacted => Fail::Lost(absent("the card was reset by another program")),
            E::SharingViolation => Fail::Told(Failure::other(
                "another program holds the card for itself: end it, as by `gpgconf --kill scdaemon`",
            )),
            other => Fail::Told(Failure::other(format!("the reader: {other}"))),
        }
    }
}

/// The readers, which pcscd knows.
///
/// # Errors
/// If pcscd does not run.
pub fn readers() -> Result<(Context, Vec<CString>), Fail> {
    let context = Context::establish(Scope::User)?;
    let readers = match context.list_readers_owned() {
        Err(pcsc::Error::NoReadersAvailable) => Vec::new(),
        readers => readers?,
    };
    Ok((context, readers))
}

/// The card in a reader, shared with other programs.
///
/// # Errors
/// If there is none, or somebody else has it for himself.
pub fn connect(context: &Context, reader: &CString) -> Result<Card, Fail> {
    Ok(context.connect(reader, ShareMode::Shared, Protocols::ANY)?)
}

/// Lets a card go without the reset that dropping it means: others may use it.
pub fn release(card: Card) {
    let _ = card.disconnect(Disposition::LeaveCard);
}

/// Runs `work` in one transaction, which ends without a reset.
///
/// # Errors
/// What it says.
pub fn transact<T>(
    card: &mut Card,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fail>,
) -> Result<T, Fail> {
    let transaction = card.transaction()?;
    let result = work(&transaction);
    // Whatever the end says, the result stands.
    let _ = transaction.end(Disposition::LeaveCard);
    result
}

/// A command, chained if its data is long; the status word and the response, however many parts.
///
/// # Errors
/// If the card is lost.
pub fn send(
    card: &Transaction<'_>,
    [ins, p1, p2]: [u8; 3],
    data: &[u8],
) -> Result<(u16, Vec<u8>), Fail> {
    let mut chunks = data.chunks(CHUNK).peekable();
    let mut last: &[u8] = &[];
    while let Some(chunk) = chunks.next() {
        if chunks.peek().is_none() {
            last = chunk;
            break;
        }
        let (status, _) = exchange(card, &command([0x10, ins, p1, p2], chunk, false))?;
        if status != OK {
            return Ok((status, Vec::new()));
        }
    }
    let (mut status, mut response) = exchange(card, &command([0, ins, p1, p2], last, true))?;
    while status >> 8 == 0x61 {
        let more = [0, 0xc0, 0, 0, status.to_be_bytes()[1]];
        let (next, part) = exchange(card, &more)?;
        status = next;
        response.extend(part);
        if response.len() > MAX_RESPONSE {
            return Err(Failure::other("its response does not end").into());
        }
    }
    Ok((status, response))
}

fn command(head: [u8; 4], data: &[u8], last: bool) -> Vec<u8> {
    let mut command = head.to_vec();
    if !data.is_empty() {
        command.push(u8::try_from(data.len()).unwrap_or(0));
        command.extend(data);
    }
    if last {
        command.push(0);
    }
    command
}

fn exchange(card: &Transaction<'_>, command: &[u8]) -> Result<(u16, Vec<u8>), Fail> {
    let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
    let response = card.transmit(command, &mut buffer)?;
    match response.split_last_chunk::<2>() {
        Some((body, status)) => Ok((u16::from_be_bytes(*status), body.to_vec())),
        // What a reader says of a card that was pulled out meanwhile.
        None => Err(Fail::Lost(Failure::new(
            Fault::Absent,
            "the card was removed: its response has no status word",
        ))),
    }
}

/// Tries of a PIN or the like that are left.
pub fn left(name: &str, tries: impl Into<u16>) -> String {
    match tries.into() {
        0 => format!("its {name} is blocked"),
        1 => "one try is left".to_owned(),
        tries => format!("{tries} tries are left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_is_used_without_a_pause_is_free_now_and_then() {
        let ours = Duration::from_millis(200);
        let mut pace = Pace::new(ours);
        let (begun, mut gaps) = (Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs(1) {
            let before = Instant::now();
            pace.begin();
            gaps += u32::from(before.elapsed() >= GAP);
            std::thread::sleep(Duration::from_millis(5));
            pace.end();
        }
        assert!((2..=4).contains(&gaps), "{gaps} gaps");
        // One that nobody used for a while is ours at once.
        std::thread::sleep(ours + GAP);
        let before = Instant::now();
        pace.begin();
        assert!(before.elapsed() < GAP);
    }
}
