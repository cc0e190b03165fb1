//! The daemon: sockets, connections, signals.

mod answer;
mod budget;
mod connection;
mod listen;
mod process;
mod unlock;

pub use listen::{ListenError, listen};
pub use process::{harden, raise_file_limit};

use crate::store::Store;
use budget::Budget;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

/// Most connections at once; further ones are closed at once.
const MAX_CONNECTIONS: usize = 8192;

/// How long requests under way may take after a signal to end.
const GRACE: Duration = Duration::from_secs(5);

/// What all connections share.
pub struct Agent {
    /// The stores that last, the one that takes new keys first.
    stores: Vec<Arc<dyn Store>>,
    /// Where each store is, for people.
    places: Vec<String>,
    /// What people should know.
    warnings: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    budget: Budget,
    unlocking: unlock::Turn,
    under_way: AtomicUsize,
    connections: AtomicUsize,
}

impl Agent {
    /// An agent over stores and the places where they are. `warnings` is asked for each status.
    pub fn new(
        stores: Vec<(Arc<dyn Store>, String)>,
        warnings: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Agent {
        let (stores, places) = stores.into_iter().unzip();
        Agent {
            stores,
            places,
            warnings: Box::new(warnings),
            budget: Budget::new(),
            unlocking: unlock::Turn::new(),
            under_way: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        }
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

/// Serves until SIGTERM, SIGINT or SIGHUP; then finishes what is being signed and removes the socket.
///
/// # Errors
/// If the socket or the signals cannot be used.
pub async fn serve(agent: Arc<Agent>, listener: StdListener, path: &Path) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(&agent, stream),
                // Out of files or memory: others must go on, and accept would fail again at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let removed = std::fs::remove_file(path);
    let deadline = tokio::time::Instant::now() + GRACE;
    while agent.under_way.load(Ordering::SeqCst) > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for store in &agent.stores {
        store.lock();
    }
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn accept(agent: &Arc<Agent>, stream: tokio::net::UnixStream) {
    let Ok(peer) = stream.peer_cred() else {
        return;
    };
    if peer.uid() != rustix::process::geteuid().as_raw() {
        eprintln!("refused: a connection of uid {}", peer.uid());
        return;
    }
    if agent.connections.load(Ordering::SeqCst) >= MAX_CONNECTIONS {
        eprintln!("refused: a connection, since {MAX_CONNECTIONS} are open");
        return;
    }
    let agent = Arc::clone(agent);
    tokio::spawn(async move {
        let _counted = Counted::new(&agent.connections);
        connection::serve(&agent, stream, peer.pid()).await;
    });
}
