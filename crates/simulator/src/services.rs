//! The services, one file each: what they answer to a request that is signed and readable.

mod account;
mod cloudtrail;
mod cloudwatch;
mod events;
mod logs;
mod organizations;
mod sns;
mod sts;

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use crate::api_error::ApiError;
use crate::chance::Draw;
use crate::page::{Cut, Page, page};
use crate::params::Params;
use crate::permissions::Permit;
use crate::service::Service;
use crate::sessions::{Identity, Sessions};
use crate::value::Fields;
use crate::world::{Account, World};

/// One request as an operation sees it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    pub(crate) world: &'a World,
    /// The account whose credentials signed.
    pub(crate) account: &'a Account,
    pub(crate) identity: &'a Identity,
    pub(crate) region: &'a str,
    pub(crate) params: &'a Params,
    pub(crate) permit: Permit<'a>,
    /// A fault rule wants this call denied, whatever the policies say.
    pub(crate) is_refused: bool,
    pub(crate) now: Timestamp,
    /// The present, with the waiting that was skipped: what takes its time is seen as of then.
    pub(crate) waited_until: Timestamp,
    pub(crate) draw: Draw,
    pub(crate) sessions: &'a Mutex<Sessions>,
}

impl Call<'_> {
    /// Whether the signer may do `action`, as `service:Operation`, on `resource`.
    pub(crate) fn authorize(&self, action: &str, resource: Option<&str>) -> Result<(), ApiError> {
        let verdict = if self.is_refused {
            self.permit.refusal(action, resource)
        } else {
            self.permit.check(action, resource)
        };
        verdict.map_err(|message| self.service.access_denied(message))
    }

    /// The asked page of `length` items; the page size is the service's own unless the world or
    /// the request wants less.
    pub(crate) fn page(
        &self,
        length: usize,
        size: usize,
        asked: Option<i64>,
        token: &str,
    ) -> Result<Page, ApiError> {
        self.page_of(length, size, asked, token, false)
    }

    /// As [`page`](Self::page), of a list that AWS documents an order for.
    pub(crate) fn page_in_order(
        &self,
        length: usize,
        size: usize,
        asked: Option<i64>,
        token: &str,
    ) -> Result<Page, ApiError> {
        self.page_of(length, size, asked, token, true)
    }

    fn page_of(
        &self,
        length: usize,
        size: usize,
        asked: Option<i64>,
        token: &str,
        in_order: bool,
    ) -> Result<Page, ApiError> {
        let asked = asked.and_then(|asked| usize::try_from(asked).ok());
        let quirks = &self.world.quirks;
        let size = size
            .min(asked.unwrap_or(size))
            .min(quirks.page_size.unwrap_or(size));
        let with_empty_pages = quirks.empty_pages && self.service == Service::Organizations;
        let token = self.params.text(token)?.filter(|token| !token.is_empty());
        let nonce = self.draw.fork("order").next();
        page(
            length,
            Cut {
                size,
                with_empty_pages,
                in_order,
            },
            token,
            nonce,
        )
        .ok_or_else(|| self.service.invalid_token())
    }

    /// A page size that the request may ask for, within what the operation takes.
    pub(crate) fn asked_size(&self, name: &str, most: i64) -> Result<Option<i64>, ApiError> {
        let asked = self.params.integer(name)?;
        if asked.is_some_and(|asked| !(1..=most).contains(&asked)) {
            return Err(self.service.invalid(format!(
                "1 validation error detected: Value at '{name}' failed to satisfy constraint: \
                 Member must be between 1 and {most}"
            )));
        }
        Ok(asked)
    }

    /// A moment that lies `seconds` back, and a drawn while more: the kind of value that ticks
    /// and that nobody should store.
    pub(crate) fn lately(&self, purpose: &str, seconds: i64) -> Timestamp {
        let wander = i64::try_from(self.draw.fork(purpose).below(180)).unwrap_or(0);
        let back = SignedDuration::from_secs(seconds.saturating_add(wander));
        self.now.checked_sub(back).unwrap_or(self.now)
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        self.arn_in(service, self.region, &self.account.id, resource)
    }

    pub(crate) fn arn_in(
        &self,
        service: &str,
        region: &str,
        account: &str,
        resource: &str,
    ) -> String {
        format!(
            "arn:{}:{service}:{region}:{account}:{resource}",
            self.world.partition.name()
        )
    }
}

/// An ARN in its parts. The simulator reads ARNs on its own, so that an error of the product's
/// parser is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArnParts<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> ArnParts<'a> {
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }
}

pub(crate) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match call.service {
        Service::Account => account::answer(operation, call),
        Service::CloudTrail => cloudtrail::answer(operation, call),
        Service::CloudWatch => cloudwatch::answer(operation, call),
        Service::Events => events::answer(operation, call),
        Service::Logs => logs::answer(operation, call),
        Service::Organizations => organizations::answer(operation, call),
        Service::Sns => sns::answer(operation, call),
        Service::Sts => sts::answer(operation, call),
    }
}
