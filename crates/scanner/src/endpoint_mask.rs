//! Where a subscription leads, without what would let one go there.

/// Masks an SNS endpoint: the host of a URL, the first letter and the domain of a mailbox, the
/// place of a queue or function, the end of a phone number. Webhook URLs carry their secret in the
/// path or the query.
pub(crate) fn mask(protocol: &str, endpoint: &str) -> String {
    match protocol {
        "http" | "https" => host(endpoint),
        "email" | "email-json" => mailbox(endpoint),
        "sms" => phone(endpoint),
        _ => place(endpoint),
    }
}

fn host(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after_scheme
        .split(['/', '?', '#', '\\'])
        .next()
        .unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if is_host {
        host.to_ascii_lowercase()
    } else {
        "…".to_owned()
    }
}

fn mailbox(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, domain)) => {
            let first: String = name
                .chars()
                .take(1)
                .filter(|c| c.is_alphanumeric())
                .collect();
            format!("{first}…@{}", host(domain))
        }
        None => "…".to_owned(),
    }
}

fn phone(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let end = digits
        .get(digits.len().saturating_sub(2)..)
        .unwrap_or_default();
    format!("…{end}")
}

fn place(endpoint: &str) -> String {
    match endpoint.parse::<model::Arn>() {
        Ok(arn) => {
            let region = arn
                .region()
                .map_or_else(String::new, |region| region.to_string());
            let account = arn
                .account()
                .map_or_else(String::new, |account| account.to_string());
            format!(
                "arn:{}:{}:{region}:{account}:…",
                arn.partition(),
                arn.service()
            )
        }
        Err(_) => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_part_of_an_endpoint_is_kept() {
        let rows = [
            (
                "https",
                "https://hooks.example.com/services/SECRET?token=SECRET#SECRET",
                "hooks.example.com",
            ),
            (
                "https",
                "https://user:SECRET@Hooks.Example.com:8443/x",
                "hooks.example.com",
            ),
            ("http", "http://SECRET with spaces/", "…"),
            ("https", "hooks.example.com\\SECRET", "hooks.example.com"),
            ("email", "security.SECRET@example.com", "s…@example.com"),
            ("email-json", "\"SECRET\"@example.com", "…@example.com"),
            ("email", "SECRET", "…"),
            ("sms", "+491701234567", "…67"),
            (
                "sqs",
                "arn:aws:sqs:eu-west-1:111111111111:SECRET",
                "arn:aws:sqs:eu-west-1:111111111111:…",
            ),
            ("lambda", "SECRET", "…"),
            ("something-new", "https://SECRET", "…"),
        ];
        for (protocol, endpoint, masked) in rows {
            assert_eq!(mask(protocol, endpoint), masked, "{protocol} {endpoint}");
        }
    }
}
