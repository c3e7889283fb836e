//! A drift in full.

use super::*;
use crate::fixture::past_drift;
use model::{Gap, GapClass, GapSample};

#[test]
fn a_drift_tells_what_when_who_and_what_next() {
    let options = Options {
        width: 100,
        ..Options::default()
    };
    insta::assert_snapshot!(render(&past_drift(), Some("a.db"), &options));
}

fn not_answered(class: GapClass) -> Who {
    Who::Denied(Some(Box::new(Gap {
        class,
        api: "cloudtrail:LookupEvents".to_owned(),
        resource: Some("DeleteLogGroup".to_owned()),
        account: None,
        region: None,
        sample: GapSample::default(),
    })))
}

#[test]
fn what_is_not_known_of_a_drift_is_said() {
    let mut past = past_drift();
    past.acknowledged = None;
    past.last_before_at = None;
    past.drift.between.last_before = None;
    past.drift.before = None;
    for (who, says) in [
        (None, "nobody has looked for it"),
        (
            Some(Who::NotFound),
            "showed no call that could have done it",
        ),
        (Some(Who::Denied(None)), "CloudTrail could not be asked"),
        (
            Some(not_answered(GapClass::AccessDenied)),
            "not known: cloudtrail:LookupEvents on DeleteLogGroup",
        ),
        (Some(not_answered(GapClass::AccessDenied)), "was denied"),
        (Some(not_answered(GapClass::Throttled)), "was throttled"),
        (Some(Who::Pending), "looked for once more"),
    ] {
        past.who = who;
        let text = render(
            &past,
            None,
            &Options {
                width: 200,
                ..Options::default()
            },
        );
        for says in [says, "nothing was there before", "scanner drift ack"] {
            assert!(text.contains(says), "{says}: {text}");
        }
    }
}

#[test]
fn nothing_that_a_stranger_wrote_acts_on_the_terminal() {
    let mut past = past_drift();
    let hostile = "x\u{1b}[2J\u{202e}".to_owned();
    past.account_name.clone_from(&hostile);
    past.drift.message.clone_from(&hostile);
    past.drift.cause.clone_from(&hostile);
    for change in &mut past.drift.changes {
        change.of.resource.clone_from(&hostile);
        change.path = format!("/{hostile}");
        change.before = hostile.clone().into();
        change.after = serde_json::json!({hostile.clone(): hostile});
    }
    if let Some(Who::Found(author)) = &mut past.who {
        author.actor = Some(hostile.clone());
        author.event_name.clone_from(&hostile);
        author.event_id.clone_from(&hostile);
        author.user_agent = Some(hostile.clone());
        author.source_ip = Some(hostile.clone());
        author.session_issuer = Some(hostile.clone());
    }
    past.acknowledged = Some(Acknowledged {
        at: past.seen_at,
        by: hostile.clone(),
        note: Some(hostile),
    });
    let options = Options::default();
    for text in [
        render(&past, None, &options),
        crate::history::render_drifts(vec![vec![past.clone()]], &options),
    ] {
        let acts = |c: char| crate::text::is_hostile(c) && c != '\n';
        assert!(!text.contains(acts), "{text:?}");
    }
}
