//! Does a topic's policy let CloudWatch publish for an alarm?
//!
//! CloudWatch publishes as the service `cloudwatch.amazonaws.com` on behalf of the alarm
//! (CloudWatch User Guide, alarm actions). The answer is yes or no where every element that matters
//! is understood, and open otherwise.

use std::collections::BTreeMap;

use model::{AccountId, Arn, evidence::PolicyStatement};

const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";
const PUBLISH: &str = "sns:publish";

/// Whether an alarm may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Publishing {
    /// It may.
    Allowed,
    /// It may not; why, in words that follow "the topic's policy".
    Denied(String),
    /// It depends on something that is not known; on what.
    Undecided(String),
}

/// What CloudWatch's request carries.
struct Request<'a> {
    alarm: &'a Arn,
    alarm_account: String,
    topic: &'a Arn,
}

/// An answer that may be open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Open(String),
}

impl Holds {
    fn when(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Open(why) => match other() {
                Self::No => Self::No,
                _ => Self::Open(why),
            },
        }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => Self::Yes,
            Self::No => other(),
            Self::Open(why) => match other() {
                Self::Yes => Self::Yes,
                _ => Self::Open(why),
            },
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            open @ Self::Open(_) => open,
        }
    }
}

/// Judges the statements of a policy for an alarm and a topic.
pub(crate) fn publishing(statements: &[PolicyStatement], alarm: &Arn, topic: &Arn) -> Publishing {
    let request = Request {
        alarm,
        alarm_account: alarm
            .account()
            .as_ref()
            .map_or_else(String::new, AccountId::to_string),
        topic,
    };
    let of_effect = |effect: &str| {
        statements
            .iter()
            .filter(|statement| statement.effect == effect)
            .fold(Holds::No, |any, statement| {
                any.or(|| applies(statement, &request))
            })
    };
    let strange = statements
        .iter()
        .find(|one| !matches!(one.effect.as_str(), "Allow" | "Deny"));
    let denied = of_effect("Deny");
    if denied == Holds::Yes {
        return Publishing::Denied("denies it in a statement".to_owned());
    }
    if let Some(statement) = strange {
        return Publishing::Undecided(format!("a statement has the effect `{}`", statement.effect));
    }
    match (of_effect("Allow"), denied) {
        (Holds::No, _) => Publishing::Denied("has no statement that allows it".to_owned()),
        (Holds::Open(why), _) | (Holds::Yes, Holds::Open(why)) => Publishing::Undecided(why),
        (Holds::Yes, _) => Publishing::Allowed,
    }
}

fn applies(statement: &PolicyStatement, request: &Request<'_>) -> Holds {
    let action = listed(&statement.actions, &statement.not_actions, |wanted| {
        like(&wanted.to_ascii_lowercase(), PUBLISH)
    });
    let resource = || {
        listed(&statement.resources, &statement.not_resources, |wanted| {
            like(wanted, request.topic.as_str())
        })
    };
    action
        .and(resource)
        .and(|| concerns_cloudwatch(statement, request))
        .and(|| conditions_hold(&statement.conditions, request))
}

/// An element and its negation, of which IAM allows one.
fn listed(these: &[String], not_these: &[String], fits: impl Fn(&str) -> bool) -> Holds {
    let any = |list: &[String]| list.iter().any(|one| fits(one));
    match (these.is_empty(), not_these.is_empty()) {
        (false, true) => Holds::when(any(these)),
        (true, false) => Holds::when(!any(not_these)),
        _ => Holds::Open("a statement names neither what it concerns nor what not".to_owned()),
    }
}

fn concerns_cloudwatch(statement: &PolicyStatement, request: &Request<'_>) -> Holds {
    match (
        statement.principals.is_empty(),
        statement.not_principals.is_empty(),
    ) {
        (false, true) => is_among(&statement.principals, request),
        (true, false) => match is_among(&statement.not_principals, request) {
            Holds::Yes => Holds::No,
            // Whether "everybody but these" takes in a service is not documented.
            _ => Holds::Open("a statement names whom it does not concern".to_owned()),
        },
        _ => Holds::Open("a statement names no principal".to_owned()),
    }
}

/// Whether the service CloudWatch is among principals.
///
/// `{"AWS": "*"}` takes in services: the policy that AWS gives a new topic relies on it. An account
/// as such is left open; single users, roles and other accounts are not the service.
fn is_among(principals: &BTreeMap<String, Vec<String>>, request: &Request<'_>) -> Holds {
    let values = principals.iter().flat_map(|(kind, values)| {
        values
            .iter()
            .map(move |value| (kind.as_str(), value.as_str()))
    });
    values.fold(Holds::No, |any, (kind, value)| {
        any.or(|| match (kind, value) {
            ("*" | "AWS", "*") | ("Service", CLOUDWATCH) => Holds::Yes,
            ("AWS", account) if is_account(account, &request.alarm_account) => Holds::Open(
                "a statement names the alarm's account and not the service CloudWatch".to_owned(),
            ),
            ("Service", "*") => Holds::Open("a statement names the service `*`".to_owned()),
            ("AWS" | "Service" | "Federated" | "CanonicalUser", _) => Holds::No,
            (kind, _) => Holds::Open(format!(
                "a statement names a principal of the kind `{kind}`"
            )),
        })
    })
}

/// Whether a principal is a whole account: its id, or its root.
fn is_account(principal: &str, account: &str) -> bool {
    principal == account
        || principal
            .strip_suffix(":root")
            .and_then(|arn| arn.rsplit(':').next())
            .is_some_and(|id| id == account)
}

fn conditions_hold(
    conditions: &BTreeMap<String, BTreeMap<String, Vec<String>>>,
    request: &Request<'_>,
) -> Holds {
    let all = conditions.iter().flat_map(|(operator, keys)| {
        keys.iter()
            .map(move |(key, values)| (operator, key, values))
    });
    all.fold(Holds::Yes, |so_far, (operator, key, values)| {
        so_far.and(|| condition_holds(operator, key, values, request))
    })
}

/// What the request says of a condition key.
enum Said<'a> {
    /// This.
    Value(&'a str),
    /// Nothing: the key is absent.
    Nothing,
    /// It is not known what.
    Unknown,
}

fn said<'a>(key: &str, request: &'a Request<'_>) -> Said<'a> {
    match key.to_ascii_lowercase().as_str() {
        "aws:sourcearn" => Said::Value(request.alarm.as_str()),
        // `SourceOwner` is the older name that the policy of a new topic uses.
        "aws:sourceaccount" | "aws:sourceowner" => Said::Value(&request.alarm_account),
        "aws:principalservicename" => Said::Value(CLOUDWATCH),
        "aws:securetransport" | "aws:principalisawsservice" => Said::Value("true"),
        // A service is no member of an organization and no principal of an account.
        "aws:principalorgid" | "aws:principalorgpaths" | "aws:principalaccount"
        // Those two come with Subscribe only.
        | "sns:protocol" | "sns:endpoint" => Said::Nothing,
        _ => Said::Unknown,
    }
}

fn condition_holds(operator: &str, key: &str, values: &[String], request: &Request<'_>) -> Holds {
    let open = || Holds::Open(format!("a statement asks for {operator} of {key}"));
    let (base, if_exists) = match operator.strip_suffix("IfExists") {
        Some(base) => (base, true),
        None => (operator, false),
    };
    if values.is_empty() || values.iter().any(|value| value.contains("${")) {
        return open();
    }
    let held = match said(key, request) {
        Said::Unknown => return open(),
        Said::Value(held) => Some(held),
        Said::Nothing => None,
    };
    if base == "Null" {
        let [asked] = values else { return open() };
        return match asked.as_str() {
            "true" => Holds::when(held.is_none()),
            "false" => Holds::when(held.is_some()),
            _ => open(),
        };
    }
    let (positive, fits): (bool, fn(&str, &str) -> Holds) = match base {
        "StringEquals" => (true, |value, held| Holds::when(value == held)),
        "StringNotEquals" => (false, |value, held| Holds::when(value == held)),
        "StringEqualsIgnoreCase" | "Bool" => (true, |value, held| {
            Holds::when(value.eq_ignore_ascii_case(held))
        }),
        "StringNotEqualsIgnoreCase" => (false, |value, held| {
            Holds::when(value.eq_ignore_ascii_case(held))
        }),
        "StringLike" => (true, |value, held| Holds::when(like(value, held))),
        "StringNotLike" => (false, |value, held| Holds::when(like(value, held))),
        "ArnEquals" | "ArnLike" => (true, arn_like),
        "ArnNotEquals" | "ArnNotLike" => (false, arn_like),
        _ => return open(),
    };
    let Some(held) = held else {
        // An absent key meets no positive comparison and every negative one (IAM User Guide).
        return Holds::when(if_exists || !positive);
    };
    let any = values
        .iter()
        .fold(Holds::No, |any, value| any.or(|| fits(value, held)));
    if positive { any } else { any.not() }
}

/// Compares ARNs part by part, as IAM does; a wildcard does not reach over a colon.
fn arn_like(wanted: &str, held: &str) -> Holds {
    let parts: Vec<&str> = wanted.splitn(6, ':').collect();
    if parts.len() < 6 {
        return Holds::Open(format!("`{wanted}` is compared as an ARN"));
    }
    let same = held
        .splitn(6, ':')
        .zip(&parts)
        .all(|(held, wanted)| like(wanted, held));
    Holds::when(same)
}

/// IAM's wildcards: `*` for anything, `?` for one character.
fn like(wanted: &str, held: &str) -> bool {
    let (wanted, held): (Vec<char>, Vec<char>) = (wanted.chars().collect(), held.chars().collect());
    let (mut w, mut h) = (0, 0);
    // Where to go on when the text after the last `*` does not fit.
    let mut retry: Option<(usize, usize)> = None;
    while h < held.len() {
        match wanted.get(w) {
            Some('*') => {
                retry = Some((w, h));
                w += 1;
            }
            Some(c) if *c == '?' || *c == held[h] => {
                w += 1;
                h += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    w = star + 1;
                    h = from + 1;
                }
                None => return false,
            },
        }
    }
    wanted[w..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
