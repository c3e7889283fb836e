//! As of when something is asked.

use jiff::Timestamp;
use model::SweepId;
use report::AsOfLine;
use serde::Deserialize;
use store::{AsOf, Moment, Newest};
use utoipa::IntoParams;

use crate::{State, asked::AsOfText, cursor::Cursor, problem::Problem};

/// Questions that have no more to say than a moment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ThenAsked {
    /// As it was at the end of this sweep, or of the last sweep that had finished by this time: the number of a
    /// sweep, RFC 3339, a day, or an age such as 2h or 7d. Otherwise as of the last sweep that has finished.
    #[param(value_type = Option<String>, example = "7d")]
    pub(crate) as_of: Option<AsOfText>,
}

/// The moment as of which something is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Then {
    /// The end of a sweep; `None` as long as none has finished.
    pub(crate) moment: Option<Moment>,
    /// When an exception must hold to count.
    pub(crate) exceptions_at: Timestamp,
    /// The last sweep that has finished: what later ones end is not yet known to have ended.
    pub(crate) known_until: Option<SweepId>,
}

impl Then {
    /// The moment that the cursor names, or the one that is asked for, or the end of the last sweep: never
    /// what a sweep under way has left behind so far.
    pub(crate) async fn of(
        state: &State,
        as_of: Option<&AsOfText>,
        cursor: Option<&Cursor>,
        newest: &Newest,
    ) -> Result<Self, Problem> {
        let now = state.now();
        let pinned = cursor.and_then(|cursor| cursor.sweep);
        let moment = match (pinned, as_of) {
            (Some(sweep), _) => Some(state.store().moment(AsOf::Sweep(sweep)).await?),
            (None, Some(written)) => Some(answers::moment(state.store(), written.0, now).await?),
            (None, None) => newest.finished,
        };
        Ok(Self {
            moment,
            exceptions_at: answers::exceptions_at(as_of.and(moment).as_ref(), now),
            known_until: newest.finished.map(|moment| moment.sweep),
        })
    }

    /// The sweep, where there must be one.
    pub(crate) fn needed(&self) -> Result<Moment, Problem> {
        self.moment.ok_or_else(|| {
            Problem::not_found("no-history", "No sweep has finished yet: nothing is known.")
        })
    }

    /// Until when something was so, as far as that is known: a sweep under way may yet be told otherwise, and
    /// what is answered must not change before it has ended.
    pub(crate) fn until(&self, sweep: Option<SweepId>) -> Option<SweepId> {
        sweep.filter(|sweep| self.known_until.is_some_and(|known| *sweep <= known))
    }

    pub(crate) fn sweep(&self) -> Option<SweepId> {
        self.moment.map(|moment| moment.sweep)
    }

    pub(crate) fn line(&self) -> Option<AsOfLine> {
        self.moment.as_ref().map(answers::line)
    }
}
