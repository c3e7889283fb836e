//! One call: pace, send, sort the outcome, perhaps again.

use std::{error::Error, future::Future, time::Duration};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use model::{AccountId, GapClass, Region};
use rand::RngExt as _;

use crate::{Api, Aws, CallError, CallOutcome, Target, call_error::Failure};

/// A wait that AWS asks for is not longer than this, whatever a proxy puts into the header.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What is asked and whose quota it is charged to.
pub(crate) struct Call<'a> {
    pub(crate) api: Api,
    /// The account whose credentials sign.
    pub(crate) charged: AccountId,
    /// The account that the call is for: its retries are spent, and it is named in the error.
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    /// What the call asks about, for the error.
    pub(crate) resource: Option<&'a str>,
}

impl Aws {
    /// Sends until AWS answers, refuses, or the attempts or the account's retries are used up.
    ///
    /// The SDK's own retries are switched off: their budget is shared by all accounts of the
    /// process, so one throttled account would starve the others. Each attempt waits for its turn
    /// like the first: a retry does not jump the queue.
    pub(crate) async fn send<T, E, F, Fut>(
        &self,
        call: &Call<'_>,
        target: &Target,
        send: &F,
    ) -> Result<T, CallError>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let metrics = self.metrics();
        let attempts = self.timing().attempts.max(1);
        let mut attempt = 1;
        loop {
            let permit = {
                let _queued = (call.charged != call.account).then(|| metrics.queue());
                self.limits()
                    .acquire(call.charged, call.region, call.api.quota())
                    .await
            };
            metrics.waited(call.api, permit.waited);
            let outcome = {
                let _under_way = metrics.begin();
                send(target.clone()).await
            };
            let error = match outcome {
                Ok(answer) => {
                    metrics.record(call.api, CallOutcome::Answered);
                    let now = self.limits().now();
                    self.retry_budgets().earn(call.account, now);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            metrics.record(call.api, CallOutcome::Failed(failure.class));
            tracing::debug!(
                api = %call.api, account.id = %call.account, region = %call.region, attempt,
                class = %failure.class, code = failure.code, "call failed: {}", failure.message,
            );
            if failure.class == GapClass::Throttled
                && self.limits().throttled(&permit, failure.retry_after)
            {
                tracing::debug!(
                    api = %call.api, account.id = %call.charged, region = %call.region,
                    "AWS throttled the call: three quarters of the rate from now on",
                );
            }
            drop(permit);
            let status = error.raw_response().map(HttpResponse::status);
            // Silence costs the whole timeout each time.
            let attempts = if failure.class == GapClass::TimedOut {
                attempts.min(2)
            } else {
                attempts
            };
            let is_last = attempt >= attempts || !failure.is_worth_retrying(status);
            if is_last || !self.may_retry(call) {
                return Err(CallError::new(
                    call.api,
                    Some(call.account),
                    call.region,
                    call.resource,
                    failure,
                ));
            }
            metrics.retried(call.api);
            let asked = failure.retry_after.unwrap_or_default().min(LONGEST_WAIT);
            tokio::time::sleep(self.backoff(attempt).max(asked)).await;
            attempt += 1;
        }
    }

    fn may_retry(&self, call: &Call<'_>) -> bool {
        let may = (self.retry_budgets()).take(call.account, self.limits().now());
        if !may {
            self.metrics().ran_out_of_budget(call.api);
            tracing::debug!(api = %call.api, account.id = %call.account, "no retry is left for this account");
        }
        may
    }

    /// Full jitter: anything between nothing and a bound that doubles with each attempt. What was
    /// throttled waits in its slowed queue besides.
    fn backoff(&self, attempt: u32) -> Duration {
        let timing = self.timing();
        let bound = timing
            .backoff
            .saturating_mul(1 << attempt.min(10))
            .min(timing.backoff_limit);
        let share: f64 = self.chance().random_range(0.0..=1.0);
        bound.mul_f64(share)
    }
}
