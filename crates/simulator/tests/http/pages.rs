//! Lists come in pages of the real size, and in no order that anybody may rely on.

use crate::*;

/// All pages of a listing: the items of each.
async fn listing(
    client: &Client<'_>,
    operation: &str,
    list: &str,
    members: Value,
) -> Vec<Vec<Value>> {
    let (mut pages, mut members) = (Vec::new(), members);
    loop {
        let answer = client
            .organizations(operation, members.clone())
            .await
            .json();
        pages.push(answer[list].as_array().unwrap().clone());
        match answer.get("NextToken") {
            Some(token) => members["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

fn ids(pages: &[Vec<Value>]) -> Vec<String> {
    pages
        .iter()
        .flatten()
        .map(|it| it["Id"].as_str().unwrap().to_owned())
        .collect()
}

const FORTY_FIVE: &str = r#"
[[account]]
name = "management"
[[account]]
name = "member"
unit = "Workloads/Production"
count = 44
"#;

#[tokio::test]
async fn accounts_come_twenty_at_a_time_and_each_once() {
    let simulator = start(FORTY_FIVE).await;
    let caller = Client::caller(&simulator);
    let first = listing(&caller, "ListAccounts", "Accounts", nothing()).await;
    assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
    let second = listing(&caller, "ListAccounts", "Accounts", nothing()).await;
    let (mut first, mut second) = (ids(&first), ids(&second));
    assert_ne!(first, second, "two listings should not agree on the order");
    first.sort();
    second.sort();
    first.dedup();
    assert_eq!((first.len(), &first), (45, &second));
}

#[tokio::test]
async fn empty_pages_come_with_a_token_where_the_world_wants_them() {
    let simulator = start(&format!("quirks = {{ empty_pages = true }}\n{FORTY_FIVE}")).await;
    let caller = Client::caller(&simulator);
    let pages = listing(&caller, "ListAccounts", "Accounts", nothing()).await;
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [0, 20, 0, 20, 0, 5, 0]
    );
}

#[tokio::test]
async fn the_tree_of_units_leads_to_every_account() {
    let simulator = start(FORTY_FIVE).await;
    let caller = Client::caller(&simulator);
    let root = ids(&listing(&caller, "ListRoots", "Roots", nothing()).await).remove(0);
    let mut parents = vec![root];
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        let under = json!({"ParentId": parent});
        let units = "ListOrganizationalUnitsForParent";
        parents.extend(ids(&listing(
            &caller,
            units,
            "OrganizationalUnits",
            under.clone(),
        )
        .await));
        let accounts = listing(&caller, "ListAccountsForParent", "Accounts", under).await;
        for account in accounts.iter().flatten() {
            let path = account["Paths"][0].as_str().unwrap();
            assert!(path.contains(&format!("/{parent}/")), "{path}");
        }
        found.extend(ids(&accounts));
    }
    assert_eq!(found.len(), 45);
}

#[tokio::test]
async fn filters_come_fifty_at_a_time() {
    let filters: Vec<String> = (0..120)
        .map(|n| format!("{{ name = \"f{n}\", metric = \"m{n}\" }}"))
        .collect();
    let scenario = format!(
        "[[account]]\nname = \"one\"\nfilters = [{}]",
        filters.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let mut members = json!({"logGroupName": "cloudtrail/management-events"});
    let (mut names, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let answer = caller
            .logs("DescribeMetricFilters", members.clone())
            .await
            .json();
        let page = texts(&answer["metricFilters"], "filterName");
        sizes.push(page.len());
        names.extend(page);
        let Some(token) = answer.get("nextToken") else {
            break;
        };
        members["nextToken"] = token.clone();
    }
    names.sort();
    names.dedup();
    assert_eq!((names.len(), sizes), (120, vec![50, 50, 20]));
}

#[tokio::test]
async fn alarms_come_a_hundred_at_a_time_with_the_composite_ones_among_them() {
    let alarms: Vec<String> = (0..150).map(|n| format!("{{ name = \"a{n}\" }}")).collect();
    let composites: Vec<String> = (0..30).map(|n| format!("{{ name = \"c{n}\" }}")).collect();
    let scenario = format!(
        "[[account]]\nname = \"one\"\nalarms = [{}]\ncomposite_alarms = [{}]",
        alarms.join(","),
        composites.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let target = "GraniteServiceVersion20100801.DescribeAlarms";
    for (types, expected) in [
        (json!(null), (150, 0)),
        (json!(["MetricAlarm", "CompositeAlarm"]), (150, 30)),
        (json!(["CompositeAlarm"]), (0, 30)),
    ] {
        let (mut metric, mut composite, mut members) = (0, 0, json!({"AlarmTypes": types}));
        loop {
            let answer = caller
                .json("monitoring", target, members.clone())
                .await
                .json();
            let metric_here = answer["MetricAlarms"].as_array().unwrap().len();
            let composite_here = answer["CompositeAlarms"].as_array().unwrap().len();
            assert!(metric_here + composite_here <= 100);
            metric += metric_here;
            composite += composite_here;
            let Some(token) = answer.get("NextToken") else {
                break;
            };
            members["NextToken"] = token.clone();
        }
        assert_eq!((metric, composite), expected, "{types}");
    }
}

#[tokio::test]
async fn alarms_are_found_by_metric_only_where_everything_agrees() {
    let scenario = r#"
[[account]]
name = "one"
[[account.alarms]]
name = "plain"
[[account.alarms]]
name = "dimensioned"
dimensions = { b = "2", a = "1" }
[[account.alarms]]
name = "elsewhere"
region = "eu-west-1"
[[account.alarms]]
name = "math"
queries = [{ id = "m", metric = "OrganizationsChanges", return_data = true }]
"#;
    let simulator = start(scenario).await;
    let caller = Client::caller(&simulator);
    let target = "GraniteServiceVersion20100801.DescribeAlarmsForMetric";
    for (dimensions, expected) in [
        (json!([]), vec!["plain"]),
        (
            json!([{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]),
            vec!["dimensioned"],
        ),
        (json!([{"Name": "a", "Value": "1"}]), vec![]),
    ] {
        let members = json!({"MetricName": "OrganizationsChanges", "Namespace": "CISBenchmark",
            "Dimensions": dimensions});
        let answer = caller.json("monitoring", target, members).await.json();
        assert_eq!(texts(&answer["MetricAlarms"], "AlarmName"), expected);
    }
}

#[tokio::test]
async fn subscriptions_come_a_hundred_at_a_time_and_unconfirmed_ones_have_no_arn() {
    let subscriptions: Vec<&str> = (0..101)
        .map(|n| match n {
            0 => "{ state = \"pending\" }",
            1 => "{ state = \"deleted\" }",
            _ => "{}",
        })
        .collect();
    let scenario = format!(
        "[[account]]\nname = \"one\"\ntopics = [{{ subscriptions = [{}] }}]",
        subscriptions.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let topic = (
        "TopicArn",
        "arn:aws:sns:us-east-1:111100000001:security-alarms",
    );
    let first = caller
        .query("sns", "ListSubscriptionsByTopic", &[topic])
        .await;
    let token = first.element("NextToken");
    let second = caller
        .query(
            "sns",
            "ListSubscriptionsByTopic",
            &[topic, ("NextToken", &token)],
        )
        .await;
    let all = first.text() + &second.text();
    let arn = "<SubscriptionArn>arn:aws:sns:us-east-1:111100000001:security-alarms:";
    assert_eq!(first.text().matches("<SubscriptionArn>").count(), 100);
    assert_eq!(all.matches(arn).count(), 99);
    assert!(all.contains("<SubscriptionArn>PendingConfirmation<"));
    assert!(all.contains("<SubscriptionArn>Deleted<"));
}
