//! Documents already parsed and checked, by their text.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries kept at most.
const MAX_ENTRIES: usize = 1_000;
/// What they may weigh at most, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Something that is kept, and what keeping it weighs.
pub(super) trait Weigh {
    /// Bytes, roughly.
    fn weight_bytes(&self) -> usize;
}

/// A bounded map from texts to what was made of them, forgetting what was not asked for lately.
///
/// Two generations, each half as large as the whole: what is used moves to the young one, and when that is full it
/// becomes the old one and the old one is dropped. That forgets nearly what least-recently-used would, with neither
/// links nor a hand to keep right.
pub(super) struct Cache<T> {
    generations: Mutex<Generations<T>>,
}

struct Generations<T> {
    young: HashMap<Arc<str>, Arc<T>>,
    old: HashMap<Arc<str>, Arc<T>>,
    young_bytes: usize,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new(), young_bytes: 0 };
        Self { generations: Mutex::new(generations) }
    }
}

impl<T: Weigh> Cache<T> {
    /// An empty cache.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What was made of a text, if it is still known.
    pub(super) fn get(&self, text: &str) -> Option<Arc<T>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = generations.young.get(text) {
            return Some(Arc::clone(value));
        }
        let (text, value) = generations.old.remove_entry(text)?;
        generations.keep(text, Arc::clone(&value));
        Some(value)
    }

    /// Keeps what was made of a text.
    pub(super) fn put(&self, text: &str, value: Arc<T>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.keep(Arc::from(text), value);
    }
}

impl<T: Weigh> Generations<T> {
    fn keep(&mut self, text: Arc<str>, value: Arc<T>) {
        let bytes = text.len() + value.weight_bytes();
        if bytes > MAX_BYTES / 2 {
            return;
        }
        if self.young.len() >= MAX_ENTRIES / 2 || self.young_bytes + bytes > MAX_BYTES / 2 {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(text, value).is_none() {
            self.young_bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Heavy(usize);

    impl Weigh for Heavy {
        fn weight_bytes(&self) -> usize {
            self.0
        }
    }

    fn size(cache: &Cache<Heavy>) -> (usize, usize) {
        let generations = cache.generations.lock().unwrap();
        let both = || generations.young.iter().chain(&generations.old);
        (both().count(), both().map(|(text, value)| text.len() + value.0).sum())
    }

    #[test]
    fn entries_and_bytes_stay_bounded() {
        let cache = Cache::new();
        for number in 0..10_000 {
            cache.put(&format!("{number:05}"), Arc::new(Heavy(10)));
        }
        assert!(size(&cache).0 <= MAX_ENTRIES);
        for number in 0..1_000 {
            cache.put(&format!("heavy {number}"), Arc::new(Heavy(100_000)));
            assert!(size(&cache).1 <= MAX_BYTES);
        }
        cache.put("too heavy", Arc::new(Heavy(MAX_BYTES)));
        assert!(cache.get("too heavy").is_none());
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let cache = Cache::new();
        cache.put("used", Arc::new(Heavy(1)));
        cache.put("unused", Arc::new(Heavy(2)));
        for number in 0..5_000 {
            cache.put(&number.to_string(), Arc::new(Heavy(3)));
            assert_eq!(cache.get("used").map(|value| value.0), Some(1));
        }
        assert!(cache.get("unused").is_none());
    }

    #[test]
    fn the_same_text_is_kept_and_weighed_once() {
        let cache = Cache::new();
        for _ in 0..10_000 {
            cache.put("text", Arc::new(Heavy(10_000)));
        }
        assert_eq!(size(&cache), (1, 10_004));
    }
}
