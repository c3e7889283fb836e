//! Who may do what: the role's rights, organization policies and session policies.
//!
//! A call is allowed if the organization does not forbid it, the role grants it and the session
//! policy, where AssumeRole was given one, grants it too.

use serde_json::Value;

use crate::world::{Account, Role, World};

/// A policy document, read as far as this simulator understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    is_allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// Nothing grants it.
    Silent,
    /// A statement forbids it.
    Denied,
}

impl Policy {
    /// Reads a session policy. What the simulator cannot judge (conditions, `NotAction`) is an
    /// error, because passing over it would allow more than AWS does.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text)
            .map_err(|_| "This policy contains invalid Json".to_owned())?;
        let version = document.get("Version").and_then(Value::as_str);
        if !matches!(version, None | Some("2012-10-17" | "2008-10-17")) {
            return Err("The policy must contain a valid version string".to_owned());
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().map(Statement::parse).collect(),
            Some(statement @ Value::Object(_)) => Statement::parse(statement).map(|one| vec![one]),
            _ => Err("Syntax errors in policy.".to_owned()),
        };
        Ok(Self {
            statements: statements?,
        })
    }

    fn decide(&self, action: &str, resource: &str) -> Decision {
        let mut decision = Decision::Silent;
        for statement in &self.statements {
            let holds = statement
                .actions
                .iter()
                .any(|pattern| wildcard_match(pattern, action))
                && statement
                    .resources
                    .iter()
                    .any(|pattern| wildcard_match(pattern, resource));
            match (holds, statement.is_allow) {
                (true, false) => return Decision::Denied,
                (true, true) => decision = Decision::Allowed,
                (false, _) => {}
            }
        }
        decision
    }
}

impl Statement {
    fn parse(statement: &Value) -> Result<Self, String> {
        let members = statement.as_object().ok_or("Syntax errors in policy.")?;
        for name in members.keys() {
            if !matches!(name.as_str(), "Sid" | "Effect" | "Action" | "Resource") {
                return Err(format!(
                    "The simulator does not understand `{name}` in a policy"
                ));
            }
        }
        let is_allow = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("Policy statement must contain an effect.".to_owned()),
        };
        let actions =
            texts(members.get("Action")).ok_or("Policy statement must contain actions.")?;
        let resources =
            texts(members.get("Resource")).ok_or("Policy statement must contain resources.")?;
        if let Some(action) = actions
            .iter()
            .find(|action| *action != "*" && !action.contains(':'))
        {
            return Err(format!(
                "Actions/Conditions must be prefaced by a vendor: {action}"
            ));
        }
        Ok(Self {
            is_allow,
            actions,
            resources,
        })
    }
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) if !values.is_empty() => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

/// One call, as far as permission for it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit<'a> {
    pub(crate) world: &'a World,
    pub(crate) account: &'a Account,
    pub(crate) region: &'a str,
    /// Whether AssumeRole opened the session. The caller's own key may do what
    /// nothing denies.
    pub(crate) is_session: bool,
    /// The role of the session, as long as it exists.
    pub(crate) role: Option<&'a Role>,
    pub(crate) session_policy: Option<&'a Policy>,
    /// Actions that a test took away from every session.
    pub(crate) withheld: &'a [String],
    pub(crate) principal_arn: &'a str,
}

impl Permit<'_> {
    /// `Err` holds the sentence in which AWS says no.
    pub(crate) fn check(&self, action: &str, resource: Option<&str>) -> Result<(), String> {
        self.reason(action, resource.unwrap_or("*"))
            .map_err(|reason| self.sentence(action, resource, &reason))
    }

    /// The sentence for a call that no identity policy grants.
    pub(crate) fn refusal(&self, action: &str, resource: Option<&str>) -> Result<(), String> {
        Err(self.sentence(action, resource, &Refusal::Silent("identity-based policy")))
    }

    fn sentence(&self, action: &str, resource: Option<&str>, reason: &Refusal) -> String {
        let action = spelled(action);
        let on = resource
            .map(|resource| format!(" on resource: {resource}"))
            .unwrap_or_default();
        let tail = match reason {
            Refusal::Silent(policy) => format!("because no {policy} allows the {action} action"),
            Refusal::Denied(policy) => format!("with an explicit deny in {policy}"),
        };
        format!(
            "User: {} is not authorized to perform: {action}{on} {tail}",
            self.principal_arn
        )
    }

    fn reason(&self, action: &str, resource: &str) -> Result<(), Refusal> {
        let matches = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| wildcard_match(pattern, action))
        };
        // Service control policies do not bind the management account.
        let is_management = self
            .world
            .organization
            .as_ref()
            .is_some_and(|organization| organization.management_account == self.account.id);
        if !is_management && (self.region_is_closed(action) || matches(&self.account.scp_deny)) {
            return Err(Refusal::Denied("a service control policy"));
        }
        if matches(&self.account.deny) {
            return Err(Refusal::Denied("an identity-based policy"));
        }
        if !self.is_session {
            return Ok(());
        }
        let Some(role) = self.role else {
            return Err(Refusal::Silent("identity-based policy"));
        };
        if role.allow.as_ref().is_some_and(|allowed| !matches(allowed)) {
            return Err(Refusal::Silent("identity-based policy"));
        }
        let withheld = matches(self.withheld);
        match self.session_policy {
            None if withheld => Err(Refusal::Silent("identity-based policy")),
            None => Ok(()),
            Some(policy) => match policy.decide(action, resource) {
                Decision::Denied => Err(Refusal::Denied("a session policy")),
                Decision::Allowed if !withheld => Ok(()),
                Decision::Allowed | Decision::Silent => Err(Refusal::Silent("session policy")),
            },
        }
    }

    /// Region-deny policies leave the global services alone, as AWS's own example does.
    fn region_is_closed(&self, action: &str) -> bool {
        let is_global = ["organizations:", "sts:", "account:"]
            .iter()
            .any(|prefix| action.starts_with(prefix));
        !is_global
            && self
                .account
                .region_deny
                .iter()
                .any(|pattern| wildcard_match(pattern, self.region))
    }
}

enum Refusal {
    Silent(&'static str),
    Denied(&'static str),
}

/// SNS writes its own name in capitals when it refuses.
fn spelled(action: &str) -> String {
    match action.strip_prefix("sns:") {
        Some(operation) => format!("SNS:{operation}"),
        None => action.to_owned(),
    }
}

/// The account's role of that name, with or without its path.
pub(crate) fn find_role<'a>(account: &'a Account, name: &str) -> Option<&'a Role> {
    account.roles.iter().find(|role| role.name == name)
}

/// IAM's wildcards: `*` for any text, `?` for one character, letters in either case.
pub(crate) fn wildcard_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` was, and how much text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == b'?' || letter.eq_ignore_ascii_case(&text[read]) => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, read) = (place + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_iam_does() {
        for (pattern, text, expected) in [
            ("*", "cloudtrail:DescribeTrails", true),
            ("cloudtrail:*", "cloudtrail:DescribeTrails", true),
            (
                "CloudTrail:describetrails",
                "cloudtrail:DescribeTrails",
                true,
            ),
            ("cloudtrail:Get*", "cloudtrail:DescribeTrails", false),
            ("cloudtrail:*Trails", "cloudtrail:DescribeTrails", true),
            (
                "logs:Describe?etricFilters",
                "logs:DescribeMetricFilters",
                true,
            ),
            ("eu-*", "eu-west-1", true),
            ("eu-*", "us-east-1", false),
            ("", "x", false),
            ("*a*b", "aab", true),
        ] {
            assert_eq!(wildcard_match(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_denial_outranks_what_allows() {
        let policy = Policy::parse(
            r#"{"Version":"2012-10-17","Statement":[
                {"Effect":"Allow","Action":"cloudwatch:*","Resource":"*"},
                {"Effect":"Deny","Action":["cloudwatch:DescribeAlarms"],"Resource":"*"}]}"#,
        )
        .unwrap();
        assert_eq!(
            policy.decide("cloudwatch:DescribeAlarms", "*"),
            Decision::Denied
        );
        assert_eq!(
            policy.decide("cloudwatch:DescribeAlarmsForMetric", "*"),
            Decision::Allowed
        );
        assert_eq!(policy.decide("sns:Publish", "*"), Decision::Silent);
    }

    #[test]
    fn a_resource_in_a_policy_narrows_it() {
        let policy = Policy::parse(
            r#"{"Statement":{"Effect":"Allow","Action":"sns:*","Resource":"arn:aws:sns:*"}}"#,
        )
        .unwrap();
        let topic = "arn:aws:sns:us-east-1:111111111111:alarms";
        assert_eq!(
            policy.decide("sns:GetTopicAttributes", topic),
            Decision::Allowed
        );
        assert_eq!(policy.decide("sns:ListTopics", "*"), Decision::Silent);
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        for text in [
            "",
            "[]",
            r#"{"Statement":[{"Effect":"Allow","NotAction":"x:y","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"x:y","Resource":"*","Condition":{}}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"x:y"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"everything","Resource":"*"}]}"#,
            r#"{"Version":"2020-01-01","Statement":[]}"#,
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }
}
