//! Questions that could not even be asked.

use aws::Api;
use model::{AccountId, Arn, Gap, GapClass, GapSample};

/// The gap for a question that nobody could be asked.
pub(crate) fn unasked(
    api: Api,
    resource: Option<String>,
    account: Option<AccountId>,
    message: &str,
) -> Gap {
    Gap {
        class: GapClass::Other,
        api: api.iam_action(),
        resource,
        account,
        region: None,
        sample: GapSample {
            message: message.to_owned(),
            request_id: None,
        },
    }
}

/// The gap for a thing whose owner cannot be told from its ARN.
pub(crate) fn homeless(api: Api, arn: &Arn) -> Gap {
    let message = "the ARN names no account or region, so its owner cannot be asked";
    unasked(api, Some(arn.to_string()), None, message)
}
