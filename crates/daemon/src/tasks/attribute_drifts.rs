//! Asks CloudTrail who caused what changed, beside sweeps, as long as events may be on their way.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::TaskGround;
use crate::{
    AuthorSearch, OpenQuestions, TaskName, metrics,
    own_thread::on_own_thread,
    task::{Task, TaskError},
};

/// A search that could not be made is made again after this time; a sweep rings before.
const EVERY: Duration = Duration::from_mins(10);

pub(super) fn task(ground: TaskGround) -> Task {
    Task {
        name: TaskName::AttributeDrifts,
        every: EVERY,
        // It mostly waits for events; what a sweep found meanwhile is to be asked for at once.
        begins_anew: true,
        run: Box::new(move |enough| {
            let ground = ground.clone();
            Box::pin(async move {
                let done = on_own_thread(|| attribute(ground, enough)).await?;
                done.unwrap_or(Ok(()))
            })
        }),
    }
}

async fn attribute(ground: TaskGround, enough: CancellationToken) -> Result<(), TaskError> {
    let patience = ground.configuration.borrow().author_patience;
    let aws = ground.aws.borrow().clone();
    let Some(aws) = aws.filter(|_| !patience.is_zero()) else {
        return Ok(());
    };
    let questions = OpenQuestions::of(ground.sweeper.store(), ground.clock.now()).await?;
    if questions.is_empty() {
        return Ok(());
    }
    let search = AuthorSearch {
        aws: &aws,
        clock: Arc::clone(&ground.clock),
        stop: ground.stop,
        enough,
    };
    let found = search.look(&ground.sweeper, questions, patience).await?;
    metrics::authors_searched(found);
    Ok(())
}
