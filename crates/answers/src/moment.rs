//! Which sweep's end a written time means.

use jiff::Timestamp;
use model::{InvalidValue, WrittenMoment, WrittenTime};
use report::AsOfLine;
use store::{AsOf, Moment, Store};

/// Why no moment is meant.
#[derive(Debug, thiserror::Error)]
pub enum MomentError {
    /// It is no time that can be meant.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// Nobody has looked yet.
    #[error("{0} lies in the future: nobody has looked yet")]
    Future(WrittenTime),
    /// The history has no such moment, or cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The moment that is meant by what was written.
pub async fn moment(
    store: &Store,
    written: WrittenMoment,
    now: Timestamp,
) -> Result<Moment, MomentError> {
    let as_of = match written {
        WrittenMoment::Sweep(sweep) => AsOf::Sweep(sweep),
        WrittenMoment::Time(time) => {
            if time.beginning(now)? > now {
                return Err(MomentError::Future(time));
            }
            AsOf::Time(time.end(now)?.min(now))
        }
    };
    Ok(store.moment(as_of).await?)
}

/// The moment as the report names it.
pub fn line(moment: &Moment) -> AsOfLine {
    AsOfLine {
        sweep: moment.sweep,
        state: moment.state,
        finished_at: moment.finished_at,
    }
}
