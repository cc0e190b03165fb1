//! The daemon: sockets, connections, signals.

mod answer;
mod budget;
mod connection;
mod holders;
mod keys;
mod later;
mod list;
mod listen;
mod log;
mod ours;
mod process;
mod reply;
mod slow;
mod unlock;

pub use listen::{ListenError, listen};
pub use log::to_file as log_to;
pub use process::{harden, raise_file_limit};

use crate::store::volatile::Volatile;
use crate::store::{State, Store};
use budget::Budget;
use nkey_core::nkey::{Kind, PublicKey};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

/// Most connections at once; further ones are closed at once.
const MAX_CONNECTIONS: usize = 8192;

/// How long requests under way may take after a signal to end.
const GRACE: Duration = Duration::from_secs(5);

/// Most stores that are found while the agent runs.
const MAX_FOUND: usize = 64;

/// A store that all connections may use.
struct Lasting {
    store: Arc<dyn Store>,
    /// Where it is, for people; a holder says so itself.
    place: String,
    /// The turns at it, if its signatures take long.
    lane: Option<Arc<Semaphore>>,
}

impl Lasting {
    fn new((store, place): (Arc<dyn Store>, String)) -> Lasting {
        let lane = store
            .lanes()
            .map(|width| Arc::new(Semaphore::new(width.max(1))));
        Lasting { store, place, lane }
    }

    fn place(&self) -> String {
        match self.store.enrolment() {
            Some(enrolled) => enrolled.holder().place(),
            None => self.place.clone(),
        }
    }
}

/// Finds stores that are not known yet: asked whether a name is known, it gives new ones.
type Discover = dyn Fn(&dyn Fn(&str) -> bool) -> Vec<(Arc<dyn Store>, String)> + Send + Sync;

/// What all connections share.
pub struct Agent {
    /// The stores that last, the one that takes new keys first.
    fixed: Vec<Lasting>,
    /// Those that were found later. They stay, since requests may be using them.
    found: [OnceLock<Lasting>; MAX_FOUND],
    discover: Mutex<Box<Discover>>,
    /// What people should know.
    warnings: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// The memory of large frames.
    frames: Budget,
    /// The memory of large answers.
    answers: Budget,
    unlocking: unlock::Unlocking,
    /// The turns at questions to all holders.
    inquiries: Arc<Semaphore>,
    /// The stores of connections that hold keys. Locked while a key is added.
    volatiles: Mutex<Vec<Weak<Volatile>>>,
    under_way: AtomicUsize,
    /// Keys that were answered and are not on disk.
    adding: AtomicUsize,
    connections: AtomicUsize,
}

impl Agent {
    /// An agent over stores and the places where they are. `warnings` is asked for each status.
    pub fn new(
        stores: Vec<(Arc<dyn Store>, String)>,
        warnings: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Agent {
        Agent {
            fixed: stores.into_iter().map(Lasting::new).collect(),
            found: [const { OnceLock::new() }; MAX_FOUND],
            discover: Mutex::new(Box::new(|_| Vec::new())),
            inquiries: Arc::new(Semaphore::new(slow::INQUIRIES)),
            warnings: Box::new(warnings),
            frames: Budget::new(),
            answers: Budget::new(),
            unlocking: unlock::Unlocking::new(),
            volatiles: Mutex::new(Vec::new()),
            under_way: AtomicUsize::new(0),
            adding: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        }
    }

    /// Looks for further stores by `discover` whenever stores are listed or named.
    #[must_use]
    pub fn discovering(
        mut self,
        discover: impl Fn(&dyn Fn(&str) -> bool) -> Vec<(Arc<dyn Store>, String)>
        + Send
        + Sync
        + 'static,
    ) -> Agent {
        self.discover = Mutex::new(Box::new(discover));
        self
    }

    fn lasting(&self) -> impl Iterator<Item = &Lasting> {
        let found = self.found.iter().map_while(OnceLock::get);
        self.fixed.iter().chain(found)
    }

    fn stores(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        self.lasting().map(|lasting| &lasting.store)
    }

    /// Those that are worth listing.
    fn listed(&self) -> Vec<&Lasting> {
        self.lasting()
            .filter(|lasting| lasting.store.is_there())
            .collect()
    }

    /// Looks for stores that have come.
    fn look(&self) {
        let discover = self.discover.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |name: &str| self.stores().any(|store| store.answers_to(name));
        let is_locked = |lasting: &Lasting| lasting.store.state() == State::Locked;
        for (store, place) in discover(&known) {
            // A locked agent signs with nothing.
            if self.fixed.first().is_some_and(is_locked) {
                store.lock();
            }
            let mut new = Some(Lasting::new((store, place)));
            for slot in &self.found {
                if let Some(lasting) = new.take() {
                    new = slot.set(lasting).err();
                }
            }
        }
    }

    fn volatiles(&self) -> MutexGuard<'_, Vec<Weak<Volatile>>> {
        self.volatiles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes every decrypted secret, those of connections as well.
    fn lock(&self) {
        self.stores().for_each(|store| store.lock());
        for store in self.volatiles().iter().filter_map(Weak::upgrade) {
            for info in store.keys() {
                // It is gone already if its connection removed it just now.
                let _ = store.remove(&info.key);
            }
        }
    }

    /// The key of these bytes that is held by any store, under whatever kind.
    fn holder(&self, bytes: &[u8; 32], volatiles: &[Weak<Volatile>]) -> Option<PublicKey> {
        let holds = |store: &dyn Store| {
            Kind::ALL
                .into_iter()
                .map(|kind| PublicKey::from_bytes(kind, *bytes))
                .find(|key| store.find(key).is_some())
        };
        let lasting = self.stores().find_map(|store| holds(store.as_ref()));
        lasting.or_else(|| {
            let mut alive = volatiles.iter().filter_map(Weak::upgrade);
            alive.find_map(|store| holds(store.as_ref()))
        })
    }
}

/// Unix seconds. A clock before 1970 reads as 0, which refuses every token.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

/// Counts something while it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize) -> Counted<'a> {
        counter.fetch_add(1, Ordering::SeqCst);
        Counted(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How often it is looked whether the socket is still there.
const LOOK: Duration = Duration::from_secs(2);

/// Serves until SIGTERM, SIGINT or SIGHUP, or until its socket is gone; then finishes what is being signed and removes the socket.
///
/// # Errors
/// If the socket or the signals cannot be used.
pub async fn serve(agent: Arc<Agent>, listener: StdListener, path: &Path) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let own = identity(path);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => break,
            _ = look.tick() => if own.is_none() || identity(path) != own {
                // Removed at a logout, or another's by now: nobody could reach or end this agent.
                log::line(format_args!("the socket {} is gone: the agent ends", path.display()));
                break;
            },
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(&agent, stream),
                // Out of files or memory: others must go on, and accept would fail again at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    // Removed while it is still live: afterwards the place may be another agent's.
    let removed = match identity(path) {
        found if found == own => std::fs::remove_file(path),
        _ => Ok(()),
    };
    drop(listener);
    let deadline = tokio::time::Instant::now() + GRACE;
    while agent.under_way.load(Ordering::SeqCst) > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    agent.lock();
    log::flush();
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Which file it is, to tell our socket from another thing at its place.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = path.symlink_metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// Our own user, and root as in ssh-agent: root can become our user anyway.
fn is_allowed(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

fn accept(agent: &Arc<Agent>, stream: tokio::net::UnixStream) {
    let Ok(peer) = stream.peer_cred() else {
        return;
    };
    if !is_allowed(peer.uid(), rustix::process::geteuid().as_raw()) {
        log::line(format_args!("refused: a connection of uid {}", peer.uid()));
        return;
    }
    let most = process::connections(MAX_CONNECTIONS);
    if agent.connections.load(Ordering::SeqCst) >= most {
        log::line(format_args!("refused: a connection, since {most} are open"));
        return;
    }
    // Counted here: the task may begin after many more have been accepted.
    agent.connections.fetch_add(1, Ordering::SeqCst);
    let agent = Arc::clone(agent);
    tokio::spawn(async move {
        let _counted = Counted(&agent.connections);
        connection::serve(&agent, stream, peer.pid()).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_user_and_root_may_connect() {
        assert!(is_allowed(1000, 1000) && is_allowed(0, 1000) && is_allowed(0, 0));
        assert!(!is_allowed(1001, 1000) && !is_allowed(1000, 0));
    }
}
