//! How much of the CPU this process has used.

use std::time::Duration;

/// A reading to compare a later one with; nothing where the system does not tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessCpu(Option<Duration>);

impl ProcessCpu {
    pub(crate) fn now() -> Self {
        Self(
            std::fs::read_to_string("/proc/self/stat")
                .ok()
                .and_then(|stat| read(&stat)),
        )
    }

    /// What all threads have used since this reading, to a hundredth of a second.
    pub(crate) fn since(self) -> Option<Duration> {
        Some(Self::now().0?.saturating_sub(self.0?))
    }
}

/// The times in user and in kernel mode, in hundredths of a second on every Linux there is.
fn read(stat: &str) -> Option<Duration> {
    // The name before it may hold anything, blanks and parentheses too.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        user.checked_add(system)?.checked_mul(10)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let stat = "17 (a ) (b) S 1 17 17 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 4 0 1 1";
        assert_eq!(read(stat), Some(Duration::from_millis(1750)));
        assert_eq!(read("17 (a) S 1"), None);
        assert_eq!(read(""), None);
    }
}
