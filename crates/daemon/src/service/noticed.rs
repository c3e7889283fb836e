//! What sweeps say beside their findings, and whether it was said before.

use std::collections::BTreeSet;

/// What was said by the last whole sweep and the looks at a few accounts since.
#[derive(Debug, Default)]
pub(super) struct Noticed(BTreeSet<String>);

impl Noticed {
    /// Each notice of a sweep that ended, and whether it is new: what stays as it is need not be read anew
    /// every few minutes.
    pub(super) fn take<'a>(
        &mut self,
        notices: &'a [String],
        is_whole: bool,
    ) -> Vec<(&'a str, bool)> {
        let said = (notices.iter())
            .map(|notice| (notice.as_str(), !self.0.contains(notice)))
            .collect();
        // A look at a few accounts does not say what is over.
        if is_whole {
            self.0.clear();
        }
        self.0.extend(notices.iter().cloned());
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_new_once_until_a_whole_sweep_no_longer_says_it() {
        let mut noticed = Noticed::default();
        let mut take = |notices: &[&str], is_whole| -> Vec<bool> {
            let told: Vec<String> = notices.iter().map(|&one| one.to_owned()).collect();
            let said = noticed.take(&told, is_whole);
            said.into_iter().map(|(_, is_new)| is_new).collect()
        };
        assert_eq!(take(&["a", "b"], true), [true, true]);
        assert_eq!(take(&["b", "c"], false), [false, true]);
        assert_eq!(take(&["a", "c"], true), [false, false]);
        assert_eq!(take(&["a", "b"], true), [false, true]);
    }
}
