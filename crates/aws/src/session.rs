//! The session in an account: whose credentials sign, and how long they last.

use std::{error::Error, future::Future};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use jiff::Timestamp;
use model::{AccountId, GapClass, Region};
use rand::RngExt as _;

use crate::{Api, Aws, CallError, Target, call::Call, call_error::Failure, credentials::Issued};

/// An answer that lacks what AWS always sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The right to ask questions in one account.
#[derive(Clone)]
pub struct Session {
    aws: Aws,
    account: AccountId,
    is_ambient: bool,
}

impl Session {
    /// The account it asks in.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Sends one operation to a region, in this account.
    ///
    /// `resource` is what the call asks about; it is named in the error. `send` may be called
    /// several times.
    pub async fn call<T, E, F, Fut>(
        &self,
        api: Api,
        region: &Region,
        resource: Option<&str>,
        send: F,
    ) -> Result<T, CallError>
    where
        F: Fn(Target) -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let call = Call {
            api,
            charged: self.account,
            account: self.account,
            region,
            resource,
        };
        let target = self.target(region).await?;
        match self.aws.send(&call, &target, &send).await {
            // Revoked or expired before their time: once more, with new ones. Ambient credentials
            // are renewed by their provider.
            Err(error) if error.class() == GapClass::CredentialsInvalid => {
                self.forget(&target).await;
                let target = self.target(region).await?;
                Box::pin(self.aws.send(&call, &target, &send)).await
            }
            outcome => outcome,
        }
    }

    /// Sends one operation for page after page, and gives each to `take`, which returns the token
    /// of the next one.
    ///
    /// A page may be empty and still not be the last: only a missing token ends the list. What was
    /// taken before a page failed is the caller's to keep or to drop.
    pub async fn pages<T, E, F, Fut>(
        &self,
        api: Api,
        region: &Region,
        resource: Option<&str>,
        send: F,
        mut take: impl FnMut(T) -> Result<Option<String>, Malformed>,
    ) -> Result<(), CallError>
    where
        F: Fn(Target, Option<String>) -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let mut token: Option<String> = None;
        loop {
            let page = self
                .call(api, region, resource, |target| send(target, token.clone()))
                .await?;
            let next =
                take(page).map_err(|Malformed| self.malformed_answer(api, region, resource))?;
            match next.filter(|next| !next.is_empty()) {
                None => return Ok(()),
                // The same page over and over would never end.
                next if next == token => return Err(self.malformed_answer(api, region, resource)),
                next => token = next,
            }
        }
    }

    /// The error for an answer that lacks what AWS always sends.
    pub fn malformed_answer(&self, api: Api, region: &Region, resource: Option<&str>) -> CallError {
        let failure = Failure {
            class: GapClass::Other,
            code: None,
            message: "the answer lacks what AWS always sends".to_owned(),
            request_id: None,
            retry_after: None,
        };
        CallError::new(api, Some(self.account), region, resource, failure)
    }

    async fn target(&self, region: &Region) -> Result<Target, CallError> {
        let credentials = if self.is_ambient {
            None
        } else {
            Some(self.credentials().await?)
        };
        Ok(Target {
            region: aws_types::region::Region::new(region.as_str().to_owned()),
            credentials,
        })
    }

    /// Lets go of the credentials that AWS did not accept; another call may have got new ones
    /// meanwhile, which stay.
    async fn forget(&self, refused: &Target) {
        let slot = self.aws.sessions().slot(self.account);
        let mut held = slot.lock().await;
        let key = |of: &Credentials| of.access_key_id().to_owned();
        if held.as_ref().map(|issued| key(&issued.credentials))
            == refused.credentials.as_ref().map(key)
        {
            *held = None;
        }
    }

    /// Valid credentials: the ones at hand, or new ones. Whoever comes second waits for the first.
    async fn credentials(&self) -> Result<Credentials, CallError> {
        let slot = self.aws.sessions().slot(self.account);
        let mut held = slot.lock().await;
        let now = self.aws.clock().now();
        if let Some(issued) = &*held
            && issued.is_good(now)
        {
            return Ok(issued.credentials.clone());
        }
        self.aws.sessions().clean(now);
        // Boxed: most calls find credentials, and would carry the room that this takes.
        let issued = Box::pin(self.assume_role()).await?;
        let credentials = issued.credentials.clone();
        *held = Some(issued);
        Ok(credentials)
    }

    /// A session of the configured length, or of an hour where AWS refuses a longer one.
    async fn assume_role(&self) -> Result<Issued, CallError> {
        let sessions = self.aws.sessions();
        let wanted = self.aws.role_settings().session_seconds;
        let seconds = sessions.seconds(self.account, wanted);
        match self.assume_role_for(seconds).await {
            Err(error) if sessions.is_too_long(self.account, seconds, &error) => {
                let seconds = sessions.seconds(self.account, wanted);
                self.assume_role_for(seconds).await
            }
            outcome => outcome,
        }
    }

    async fn assume_role_for(&self, seconds: i32) -> Result<Issued, CallError> {
        let aws = &self.aws;
        let role = aws.role_arn(self.account);
        let region = aws.sts_region();
        let settings = aws.role_settings();
        let call = Call {
            api: Api::AssumeRole,
            charged: aws.caller(),
            account: self.account,
            region,
            resource: Some(&role),
        };
        let target = Target {
            region: aws_types::region::Region::new(region.as_str().to_owned()),
            credentials: None,
        };
        let answer = aws
            .send(&call, &target, &|target: Target| {
                aws.clients()
                    .sts
                    .assume_role()
                    .role_arn(&role)
                    .role_session_name(&settings.session_name)
                    .set_external_id(settings.external_id.clone())
                    .set_source_identity(settings.source_identity.clone())
                    .duration_seconds(seconds)
                    .policy(aws.session_policy())
                    .customize()
                    .config_override(target.sts())
                    .send()
            })
            .await?;
        let malformed = || self.malformed_answer(Api::AssumeRole, region, Some(&role));
        let issued = answer.credentials.ok_or_else(malformed)?;
        let expires = Timestamp::from_second(issued.expiration.secs()).map_err(|_| malformed())?;
        let credentials = Credentials::new(
            issued.access_key_id,
            issued.secret_access_key,
            Some(issued.session_token),
            expires.try_into().ok(),
            "AssumeRole",
        );
        let chance = aws.chance().random_range(0.0..=1.0);
        Ok(Issued::new(credentials, expires, chance))
    }
}

impl Aws {
    /// The session in an account. Nothing is sent before the first call needs it.
    pub fn session(&self, account: AccountId) -> Session {
        let is_ambient = self.uses_ambient_credentials(account);
        Session {
            aws: self.clone(),
            account,
            is_ambient,
        }
    }

    /// The ambient credentials as they are, whatever role is set for their account: AWS
    /// Organizations is asked with these.
    pub fn ambient_session(&self) -> Session {
        Session {
            aws: self.clone(),
            account: self.caller(),
            is_ambient: true,
        }
    }
}
