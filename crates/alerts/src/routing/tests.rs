//! Which drifts a route takes.

use super::*;
use proptest::prelude::*;

fn route(channel: &str) -> Route {
    Route {
        kinds: Vec::new(),
        min_severity: Severity::Info,
        ous: Vec::new(),
        controls: Vec::new(),
        accounts: Vec::new(),
        channels: vec![channel.to_owned()],
    }
}

#[track_caller]
fn check(route: &Route, account: Option<u64>, control: Option<&str>, expected: bool) {
    let path = OuPath(vec!["r-root".to_owned(), "ou-root-team".to_owned()]);
    let control = control.map(|control| control.parse::<ControlId>().unwrap());
    let drift = RoutedDrift {
        kind: DriftKind::VerdictChanged,
        severity: Severity::High,
        account: account.map(|id| format!("{id:012}").parse().unwrap()),
        ou_path: account.map(|_| &path),
        control: control.as_ref(),
    };
    assert_eq!(route.takes(&drift), expected, "{route:?}");
}

#[test]
fn a_route_takes_what_fits_all_that_it_asks_for() {
    let all = route("x");
    check(&all, Some(1), Some("root-usage"), true);
    check(&all, None, None, true);
    let severe = |min_severity| Route {
        min_severity,
        ..route("x")
    };
    check(&severe(Severity::High), Some(1), None, true);
    check(&severe(Severity::Critical), Some(1), None, false);
    let of_kind = |kind| Route {
        kinds: vec![kind],
        ..route("x")
    };
    check(&of_kind(DriftKind::VerdictChanged), Some(1), None, true);
    check(&of_kind(DriftKind::AccountLeft), Some(1), None, false);
    let in_ou = |ou: &str| Route {
        ous: vec!["ou-other".to_owned(), ou.to_owned()],
        ..route("x")
    };
    check(&in_ou("ou-root-team"), Some(1), None, true);
    check(&in_ou("r-root"), Some(1), None, true);
    check(&in_ou("ou-root"), Some(1), None, false);
    check(&in_ou("r-root"), None, None, false);
    let of_account = Route {
        accounts: vec!["000000000001".parse().unwrap()],
        ..route("x")
    };
    check(&of_account, Some(1), None, true);
    check(&of_account, Some(2), None, false);
    check(&of_account, None, None, false);
    let of_control = Route {
        controls: vec!["root-usage".parse().unwrap()],
        ..route("x")
    };
    check(&of_control, Some(1), Some("root-usage"), true);
    check(&of_control, Some(1), Some("vpc-changes"), false);
    // What happened to the whole account happened to each control.
    check(&of_control, Some(1), None, true);
    // All that is asked for has to fit.
    let both = Route {
        accounts: of_account.accounts.clone(),
        ..in_ou("ou-nowhere")
    };
    check(&both, Some(1), None, false);
}

proptest! {
    #[test]
    fn the_order_of_routes_does_not_matter_and_more_routes_take_nothing_away(
        severities in prop::collection::vec(0..5_usize, 0..6), drift in 0..5_usize, cut in 0..6_usize,
    ) {
        let routes: Vec<Route> = (severities.iter().enumerate())
            .map(|(number, severity)| Route {
                min_severity: Severity::ALL[*severity],
                ..route(&format!("channel-{}", number % 3))
            })
            .collect();
        let drift = RoutedDrift {
            kind: DriftKind::VerdictChanged,
            severity: Severity::ALL[drift],
            account: None,
            ou_path: None,
            control: None,
        };
        let all = Routes(routes.clone());
        let reversed = Routes(routes.iter().rev().cloned().collect());
        prop_assert_eq!(all.channels(&drift), reversed.channels(&drift));
        let some = Routes(routes[..cut.min(routes.len())].to_vec());
        prop_assert!(some.channels(&drift).is_subset(&all.channels(&drift)));
    }
}
