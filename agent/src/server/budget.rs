//! The memory that large frames and answers share.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Frames and answers up to this many bytes need no share.
pub const SMALL: usize = 16 * 1024;

const TOTAL: usize = 16 * 1024 * 1024;
const UNIT: usize = 1024;

/// 16 MiB, given out in units of 1 KiB to whoever waits longest.
pub struct Budget(Semaphore);

impl Budget {
    pub fn new() -> Budget {
        Budget(Semaphore::new(TOTAL / UNIT))
    }

    /// The share for this many bytes, when it is free; none is needed for a small one.
    pub async fn share(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        if bytes <= SMALL {
            return None;
        }
        let units = bytes.div_ceil(UNIT).min(TOTAL / UNIT);
        self.0.acquire_many(u32::try_from(units).ok()?).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_ones_wait_for_their_share_and_small_ones_never() {
        let budget = Budget::new();
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(budget.share(2 * 1024 * 1024).await);
        }
        assert!(budget.share(SMALL).await.is_none());
        let waiting = tokio::time::timeout(
            std::time::Duration::from_millis(20),
            budget.share(SMALL + 1),
        );
        assert!(waiting.await.is_err());
        held.pop();
        assert!(budget.share(SMALL + 1).await.is_some());
    }
}
