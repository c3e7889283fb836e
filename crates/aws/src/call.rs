//! One call: pace, send, sort the outcome, perhaps again.

use std::{error::Error, future::Future, time::Duration};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use model::{AccountId, GapClass, Region};
use rand::RngExt as _;

use crate::{Api, Aws, CallError, CallOutcome, Target, call_error::Failure};

/// What is asked and whose quota it is charged to.
pub(crate) struct Call<'a> {
    pub(crate) api: Api,
    /// The account whose credentials sign.
    pub(crate) charged: AccountId,
    pub(crate) region: &'a Region,
    /// What the call asks about, for the error.
    pub(crate) resource: Option<&'a str>,
}

impl Aws {
    /// Sends until AWS answers, refuses, or the attempts are used up.
    ///
    /// The SDK's own retries are switched off: their budget is shared by all accounts of the
    /// process, so one throttled account would starve the others.
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
        let attempts = self.timing().attempts.max(1);
        let mut attempt = 1;
        loop {
            self.limits()
                .acquire(call.charged, call.region, call.api.quota())
                .await;
            let error = match send(target.clone()).await {
                Ok(answer) => {
                    self.metrics().record(call.api, CallOutcome::Answered);
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            self.metrics()
                .record(call.api, CallOutcome::Failed(failure.class));
            tracing::debug!(
                api = %call.api, account.id = %call.charged, region = %call.region, attempt,
                class = %failure.class, code = failure.code, "call failed: {}", failure.message,
            );
            let status = error.raw_response().map(HttpResponse::status);
            // Silence costs the whole timeout each time.
            let attempts = if failure.class == GapClass::TimedOut {
                attempts.min(2)
            } else {
                attempts
            };
            if attempt >= attempts || !failure.is_worth_retrying(status) {
                return Err(CallError::new(
                    call.api,
                    Some(call.charged),
                    call.region,
                    call.resource,
                    failure,
                ));
            }
            tokio::time::sleep(self.backoff(attempt, failure.class)).await;
            attempt += 1;
        }
    }

    /// Full jitter: anything between nothing and a bound that doubles with each attempt.
    fn backoff(&self, attempt: u32, class: GapClass) -> Duration {
        let timing = self.timing();
        // A throttled quota needs about a second to recover; a broken connection does not.
        let first = if class == GapClass::Throttled {
            timing.backoff * 4
        } else {
            timing.backoff
        };
        let bound = first
            .saturating_mul(1 << attempt.min(10))
            .min(timing.backoff_limit);
        let share: f64 = self.chance().random_range(0.0..=1.0);
        bound.mul_f64(share)
    }
}
