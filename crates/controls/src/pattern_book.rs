//! What is known of filter patterns: worked out once, however many accounts share a pattern.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use filter_pattern::{FilterPattern, may_match};
use model::ControlId;

use crate::{Control, filter_coverage::Answer};

/// How many answers of a kind are kept: more than an organization has patterns, and a bound.
const KEPT: usize = 10_000;

/// A pattern, parsed.
pub(crate) struct KnownPattern {
    /// Which of its book's patterns it is: texts are long, and compared often.
    number: usize,
    text: String,
    /// `Err` says why it is not understood.
    pub(crate) parsed: Result<FilterPattern, String>,
}

impl PartialEq for KnownPattern {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for KnownPattern {}

impl Hash for KnownPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

/// The patterns met so far and what they come to. It changes how long an answer takes, never which.
#[derive(Default)]
pub(crate) struct PatternBook {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    numbers: usize,
    patterns: HashMap<String, Arc<KnownPattern>>,
    concerns: HashMap<(ControlId, Arc<KnownPattern>), bool>,
    answers: HashMap<(ControlId, Vec<Arc<KnownPattern>>), Arc<Answer>>,
    noise: HashMap<(ControlId, Arc<KnownPattern>), Option<String>>,
}

impl fmt::Debug for PatternBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatternBook").finish_non_exhaustive()
    }
}

impl PatternBook {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        // Nothing that holds the lock can panic half-way through a change.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks an answer up, or works it out while nobody waits for the lock.
    fn once<K: Hash + Eq, V: Clone>(
        &self,
        page: fn(&mut Pages) -> &mut HashMap<K, V>,
        key: K,
        work: impl FnOnce(&K) -> V,
    ) -> V {
        if let Some(known) = page(&mut self.pages()).get(&key) {
            return known.clone();
        }
        let answer = work(&key);
        let mut pages = self.pages();
        let page = page(&mut pages);
        if page.len() >= KEPT {
            page.clear();
        }
        page.insert(key, answer.clone());
        answer
    }

    /// The pattern of this text.
    pub(crate) fn pattern(&self, text: &str) -> Arc<KnownPattern> {
        if let Some(known) = self.pages().patterns.get(text) {
            return Arc::clone(known);
        }
        let parsed = FilterPattern::parse(text).map_err(|error| error.to_string());
        let mut pages = self.pages();
        if pages.patterns.len() >= KEPT {
            // What is known of them goes with them; a number is never given twice.
            pages.patterns.clear();
            pages.concerns.clear();
            pages.answers.clear();
            pages.noise.clear();
        }
        pages.numbers += 1;
        let known = Arc::new(KnownPattern {
            number: pages.numbers,
            text: text.to_owned(),
            parsed,
        });
        let entry = pages.patterns.entry(text.to_owned());
        Arc::clone(entry.or_insert(known))
    }

    /// Whether the pattern may match a required event; one that is not understood may.
    pub(crate) fn concerns(&self, control: &Control, pattern: &Arc<KnownPattern>) -> bool {
        let key = (control.id.clone(), Arc::clone(pattern));
        self.once(
            |pages| &mut pages.concerns,
            key,
            |_| {
                pattern.parsed.as_ref().map_or(true, |parsed| {
                    control
                        .required_events()
                        .iter()
                        .any(|event| may_match(event, parsed))
                })
            },
        )
    }

    /// Whether a filter with the pattern was made for the control, as far as can be told: a filter on
    /// IAM's `DeletePolicy` that names no source also matches that of AWS Organizations, and one on
    /// the root user matches whatever the root user does. One that is not understood may be.
    pub(crate) fn is_meant(&self, control: &Control, pattern: &Arc<KnownPattern>) -> bool {
        let Ok(parsed) = &pattern.parsed else {
            return true;
        };
        if !self.concerns(control, pattern) {
            return false;
        }
        let answer = self.answer(control, [pattern]);
        if answer.is_covered() || self.noise(control, pattern).is_none() {
            return true;
        }
        let required = control.required_events().len();
        answer.touched(required) * 2 >= required && {
            let (by_name, by_more): (Vec<&str>, Vec<&str>) = control
                .asked_for_events()
                .iter()
                .flat_map(|event| event.fields.keys().map(String::as_str))
                .partition(|path| matches!(*path, "eventName" | "eventSource"));
            if by_more.is_empty() {
                by_name.iter().any(|path| parsed.asks_for(path))
            } else {
                by_more.iter().any(|path| parsed.compares(path))
            }
        }
    }

    /// What the patterns come to together.
    pub(crate) fn answer<'p>(
        &self,
        control: &Control,
        patterns: impl IntoIterator<Item = &'p Arc<KnownPattern>>,
    ) -> Arc<Answer> {
        let mut patterns: Vec<Arc<KnownPattern>> = patterns.into_iter().cloned().collect();
        patterns.sort_by(|a, b| a.text.cmp(&b.text));
        patterns.dedup();
        let key = (control.id.clone(), patterns);
        self.once(
            |pages| &mut pages.answers,
            key,
            |(_, patterns)| {
                let parsed = patterns.iter().filter_map(|one| one.parsed.as_ref().ok());
                let parsed: Vec<&FilterPattern> = parsed.collect();
                Arc::new(Answer::of(control.required_events(), &parsed))
            },
        )
    }

    /// An event that the pattern matches although nobody asked for it, as JSON.
    pub(crate) fn noise(&self, control: &Control, pattern: &Arc<KnownPattern>) -> Option<String> {
        let key = (control.id.clone(), Arc::clone(pattern));
        self.once(
            |pages| &mut pages.noise,
            key,
            |_| {
                let parsed = pattern.parsed.as_ref().ok()?;
                let noise = filter_pattern::noise(control.asked_for_events(), parsed)?;
                Some(noise.example.to_string())
            },
        )
    }
}
