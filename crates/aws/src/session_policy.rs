//! The inline session policy: what an assumed session may do, whatever the role could.

use crate::Api;

/// The policy that allows exactly these calls and nothing else.
///
/// AWS intersects it with the role's own policies, so a session can never do more than the scanner
/// asks for, even where the role is an administrator. It may be at most 2,048 characters long.
pub fn session_policy(apis: &[Api]) -> String {
    let actions: Vec<String> = apis.iter().map(|api| api.iam_action()).collect();
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_every_call_fits_in_what_aws_accepts() {
        let policy = session_policy(&Api::ALL);
        assert!(policy.len() <= 2048, "{}", policy.len());
        assert!(policy.contains("cloudtrail:DescribeTrails"));
    }
}
