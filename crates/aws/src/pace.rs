//! The pace of one queue: who may send when. Pure: time is an argument.

use std::time::Duration;

/// The rate is counted in sixteenths of what is wanted.
const FULL: u32 = 16;
/// A throttle leaves this many quarters of the rate.
const QUARTERS_LEFT: u32 = 3;
/// After this long without a throttle the rate rises by one sixteenth.
const RECOVERY: Duration = Duration::from_secs(5);
/// By how much one call may take longer to reach AWS than another one, without AWS seeing more than
/// its quota allows: a new connection, a busy machine.
const JITTER: Duration = Duration::from_millis(150);
/// How long nobody is let through after a throttle, unless AWS asks for more: quotas of AWS are
/// refilled each second or faster.
const PAUSE: Duration = Duration::from_millis(500);
/// A pause that AWS asks for is not longer than this, whatever a proxy puts into the header.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Sums of floating-point numbers are off by much less than this part of a ticket.
const ROUNDING: f64 = 1e-6;

/// A place in the queue: the how-manieth it is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Ticket(f64);

/// A token bucket that gives numbered tickets and says when each is due.
///
/// Whoever asks takes a ticket and sleeps until it is due, so each grant costs one wake-up however
/// many wait, and the order is that of asking. When a throttle lowers the rate, all tickets that
/// are not yet due move back together: who wakes asks again whether it is time. The rate rises by
/// the clock alone, so what is foreseen is only ever put off, never missed.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Tickets per second at full speed.
    rate: f64,
    /// How many may come at once at full speed.
    burst: f64,
    /// The sixteenths of the rate that are in force.
    sixteenths: u32,
    /// Until when everything below is accounted for. All times count from one common moment.
    at: Duration,
    /// When the rate last changed.
    changed: Duration,
    /// When a throttle last lowered it.
    slowed: Option<Duration>,
    paused_until: Duration,
    /// How many tickets were taken.
    taken: f64,
    /// How many of them are due; more than were taken, if some may come at once.
    released: f64,
}

impl Pace {
    /// The pace at which AWS refuses nobody who uses this share of a quota alone.
    ///
    /// AWS counts calls when they arrive. Its bucket was last full when the first of a run arrived; if
    /// that one took longer than a later one, the later one finds the bucket emptier than it was to be,
    /// by the rate times the difference. So that much of the burst is never used: it costs `JITTER` once,
    /// and nothing of the rate.
    pub(crate) fn within(per_second: f64, burst: f64, share: f64, now: Duration) -> Self {
        let rate = per_second * share;
        let kept = rate * JITTER.as_secs_f64();
        Self::new(rate, (burst * share).floor().min(burst - kept), now)
    }

    pub(crate) fn new(per_second: f64, burst: f64, now: Duration) -> Self {
        let burst = burst.max(1.0);
        Self {
            // One a quarter of an hour is as slow as it gets, whatever share is configured.
            rate: per_second.max(0.001),
            burst,
            sixteenths: FULL,
            at: now,
            changed: now,
            slowed: None,
            paused_until: Duration::ZERO,
            taken: 0.0,
            released: burst,
        }
    }

    /// Takes the next ticket.
    pub(crate) fn take(&mut self, now: Duration) -> Ticket {
        self.advance(now);
        self.taken += 1.0;
        Ticket(self.taken)
    }

    /// When a ticket is due, if it is not yet.
    pub(crate) fn wait_for(&mut self, ticket: Ticket, now: Duration) -> Option<Duration> {
        self.advance(now);
        let mut missing = ticket.0 - self.released;
        if missing <= ROUNDING && self.at >= self.paused_until {
            return None;
        }
        missing = missing.max(0.0);
        let (mut at, mut sixteenths, mut changed) = (self.at, self.sixteenths, self.changed);
        loop {
            let rate = self.rate * f64::from(sixteenths) / f64::from(FULL);
            let from = at.max(self.paused_until);
            let needed = Duration::from_secs_f64(missing / rate);
            let rises = changed + RECOVERY;
            if sixteenths == FULL || from + needed <= rises {
                return Some(from + needed);
            }
            missing -= rate * rises.saturating_sub(from).as_secs_f64();
            (at, sixteenths, changed) = (rises, sixteenths + 1, rises);
        }
    }

    /// AWS throttled a call that was sent at `sent`: a quarter less from now on, after a pause.
    ///
    /// What was in flight when the rate was lowered tells nothing new. Returns whether the rate
    /// was lowered.
    pub(crate) fn throttled(
        &mut self,
        sent: Duration,
        asked: Option<Duration>,
        now: Duration,
    ) -> bool {
        self.advance(now);
        let pause = asked.map_or(PAUSE, |asked| asked.clamp(PAUSE, LONGEST_PAUSE));
        if self.slowed.is_some_and(|slowed| sent <= slowed) {
            if asked.is_some() {
                self.paused_until = self.paused_until.max(now + pause);
            }
            return false;
        }
        self.paused_until = self.paused_until.max(now + pause);
        self.sixteenths = (self.sixteenths * QUARTERS_LEFT / 4).max(1);
        self.changed = now;
        self.slowed = Some(now);
        self.released = self.released.min(self.taken + self.burst());
        true
    }

    /// The part of the wanted rate that is in force, in (0, 1].
    pub(crate) fn factor(&mut self, now: Duration) -> f64 {
        self.advance(now);
        f64::from(self.sixteenths) / f64::from(FULL)
    }

    /// Whether it is as good as new: nobody waits, nothing was throttled lately.
    pub(crate) fn is_idle(&mut self, now: Duration) -> bool {
        self.advance(now);
        self.sixteenths == FULL
            && now >= self.paused_until
            && self.released >= self.taken + self.burst - ROUNDING
    }

    fn burst(&self) -> f64 {
        (self.burst * f64::from(self.sixteenths) / f64::from(FULL)).max(1.0)
    }

    /// Accounts for the time that went by; at most one round for each sixteenth.
    fn advance(&mut self, now: Duration) {
        while self.at < now {
            let rises = (self.sixteenths < FULL).then_some(self.changed + RECOVERY);
            let until = rises.map_or(now, |rises| rises.min(now));
            let flowed = until.saturating_sub(self.at.max(self.paused_until));
            let rate = self.rate * f64::from(self.sixteenths) / f64::from(FULL);
            self.released =
                (self.released + rate * flowed.as_secs_f64()).min(self.taken + self.burst());
            self.at = until;
            if rises == Some(until) {
                self.sixteenths += 1;
                self.changed = until;
            }
        }
    }
}

#[cfg(test)]
mod tests;
