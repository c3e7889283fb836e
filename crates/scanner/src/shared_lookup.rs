//! What many accounts point at is looked up once.

use std::{future::Future, hash::Hash, sync::Arc};

use dashmap::DashMap;
use tokio::sync::OnceCell;

/// Answers by key; whoever asks first looks, everybody else waits for that answer.
pub(crate) struct SharedLookup<K, V> {
    answers: DashMap<K, Arc<OnceCell<Arc<V>>>>,
}

impl<K: Eq + Hash + Clone, V> SharedLookup<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            answers: DashMap::new(),
        }
    }

    pub(crate) async fn get<F, Fut>(&self, key: &K, look: F) -> Arc<V>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = V>,
    {
        let cell = Arc::clone(&self.answers.entry(key.clone()).or_default());
        // If the one that looks is cancelled, the next waiter looks. Boxed: whoever only waits would
        // carry the room that looking takes, which is most of what an account takes.
        let answer = cell.get_or_init(|| async { Arc::new(Box::pin(look()).await) });
        Arc::clone(answer.await)
    }

    /// The answer, if it is there already.
    pub(crate) fn known(&self, key: &K) -> Option<Arc<V>> {
        self.answers.get(key)?.get().cloned()
    }

    /// Keeps only answers for which this holds; the others are looked up again when asked for.
    pub(crate) fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.answers
            .retain(|_, cell| cell.get().is_none_or(|answer| keep(answer)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn many_askers_cause_one_look_until_the_answer_is_dropped() {
        let lookup: SharedLookup<&str, u32> = SharedLookup::new();
        let looks = AtomicU32::new(0);
        let look = || async {
            tokio::task::yield_now().await;
            looks.fetch_add(1, Ordering::SeqCst)
        };
        let answers = futures::future::join_all((0..50).map(|_| lookup.get(&"key", look))).await;
        assert!(answers.iter().all(|answer| **answer == 0));
        lookup.retain(|answer| *answer != 0);
        assert_eq!(*lookup.get(&"key", look).await, 1);
    }

    #[tokio::test]
    async fn when_the_one_that_looks_is_cancelled_the_next_waiter_looks() {
        let lookup: SharedLookup<&str, u32> = SharedLookup::new();
        let never = lookup.get(&"key", std::future::pending);
        let in_time = tokio::time::timeout(std::time::Duration::from_millis(10), never);
        let (cancelled, answer) = tokio::join!(in_time, lookup.get(&"key", || async { 7 }));
        assert!(cancelled.is_err());
        assert_eq!(*answer, 7);
    }
}
