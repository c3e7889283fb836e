//! Where AWS's console shows a resource.

use model::{Arn, ChainResource, Link, Region};

/// The page of a resource of the chain; `None` where it cannot be told which.
pub(crate) fn console_link(of: &ChainResource) -> Option<String> {
    // A filter shows on the page of its group, a subscription on that of its topic.
    let named = match of.link {
        Link::MetricFilter | Link::Subscription => of.within.as_deref()?,
        _ => of.resource.as_str(),
    };
    let arn: Arn = named.trim_end_matches(":*").parse().ok()?;
    let region = arn.region().or_else(|| of.region.clone())?;
    let (host, path) = (host(&arn, &region), arn.resource());
    let page = match of.link {
        Link::Trail => format!(
            "cloudtrailv2/home?region={region}#/trails/{}",
            in_url(arn.as_str())
        ),
        Link::LogGroup | Link::MetricFilter => {
            let name = path.strip_prefix("log-group:")?;
            format!(
                "cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}",
                // The console decodes twice, and writes $25 for the percent sign.
                in_url(&in_url(name)).replace('%', "$")
            )
        }
        Link::Alarm => format!(
            "cloudwatch/home?region={region}#alarmsV2:alarm/{}",
            in_url(path.strip_prefix("alarm:")?)
        ),
        Link::Topic | Link::Subscription => {
            format!(
                "sns/v3/home?region={region}#/topic/{}",
                in_url(arn.as_str())
            )
        }
    };
    Some(format!("https://{host}/{page}"))
}

fn host(arn: &Arn, region: &Region) -> String {
    match arn.partition().as_str() {
        "aws-cn" => format!("{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("{region}.console.amazonaws-us-gov.com"),
        _ => format!("{region}.console.aws.amazon.com"),
    }
}

/// A text as a part of a URL: what is not plainly a letter or digit is escaped.
pub(crate) fn in_url(text: &str) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push_str(&hex::encode_upper([byte]));
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(link: Link, resource: &str, within: Option<&str>, expected: Option<&str>) {
        let of = ChainResource {
            link,
            resource: resource.to_owned(),
            account: None,
            region: None,
            within: within.map(str::to_owned),
        };
        assert_eq!(console_link(&of).as_deref(), expected);
    }

    #[test]
    fn each_link_of_the_chain_has_its_page() {
        let eu = "https://eu-west-1.console.aws.amazon.com";
        let group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/trail";
        check(
            Link::Trail,
            "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org",
            None,
            Some(&format!(
                "{eu}/cloudtrailv2/home?region=eu-west-1#/trails/arn%3Aaws%3Acloudtrail%3Aeu-west-1%3A111122223333%3Atrail%2Forg"
            )),
        );
        let page = format!(
            "{eu}/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Ftrail"
        );
        check(Link::LogGroup, group, None, Some(&page));
        check(Link::MetricFilter, "a filter", Some(group), Some(&page));
        check(Link::MetricFilter, "a filter", None, None);
        check(
            Link::Alarm,
            "arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:a b",
            None,
            Some(
                "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#alarmsV2:alarm/a%20b",
            ),
        );
        check(
            Link::Topic,
            "arn:aws-us-gov:sns:us-gov-west-1:111122223333:t",
            None,
            Some(
                "https://us-gov-west-1.console.amazonaws-us-gov.com/sns/v3/home?region=us-gov-west-1#/topic/arn%3Aaws-us-gov%3Asns%3Aus-gov-west-1%3A111122223333%3At",
            ),
        );
        check(Link::Topic, "t\" onclick=\"x", None, None);
    }
}
