//! Does the trail record the events in question, everywhere, and do they arrive?

use std::collections::BTreeSet;

use model::{
    Advice, AdviceCode, Link, Reason,
    evidence::{
        AdvancedEventSelector, BasicEventSelector, Delivery, EventSelectors, FieldSelector, Trail,
        TrailEvidence,
    },
};

use crate::obstacle::Obstacle;

/// What a trail must record.
pub(crate) struct Wanted<'a> {
    /// The services whose events are required; none if the events may come from any service.
    pub(crate) sources: Vec<&'a str>,
    /// Whether all required events are writes.
    pub(crate) are_writes: bool,
}

/// What keeps a multi-region trail from recording and delivering the wanted events.
pub(crate) fn trail_obstacles(
    trail: &Trail,
    detail: Option<&TrailEvidence>,
    wanted: &Wanted<'_>,
    advice: &mut Vec<Advice>,
) -> Vec<Obstacle> {
    let broken = |reason, message: String| Obstacle::new(Link::Trail, reason, message);
    if !trail.is_multi_region {
        let message = format!("the trail records {} only", trail.home_region);
        return vec![broken(Reason::TrailSingleRegion, message)];
    }
    let Some(detail) = detail else {
        return vec![broken(
            Reason::TrailUndecided,
            "the trail was not read".to_owned(),
        )];
    };
    let mut obstacles = Vec::new();
    match &detail.status {
        Err(gap) => obstacles.push(Obstacle::gap(Link::Trail, gap)),
        Ok(status) if !status.is_logging => {
            obstacles.push(broken(
                Reason::TrailNotLogging,
                "the trail is stopped".to_owned(),
            ));
        }
        Ok(_) => {}
    }
    match &detail.selectors {
        Err(gap) => obstacles.push(Obstacle::gap(Link::Trail, gap)),
        Ok(selectors) => obstacles.extend(selector_obstacle(selectors, wanted, advice)),
    }
    // Whether anything arrives only matters where something is sent.
    if let (Ok(status), Some(group)) = (&detail.status, &trail.log_group) {
        obstacles.extend(delivery_obstacle(&status.delivery, group, advice));
    }
    obstacles
}

fn delivery_obstacle(
    delivery: &Delivery,
    group: &str,
    advice: &mut Vec<Advice>,
) -> Option<Obstacle> {
    let mut degraded = |message: String| {
        advice.push(Advice {
            code: AdviceCode::DeliveryDegraded,
            message,
        });
    };
    let failing = |message: String| {
        Some(Obstacle::new(
            Link::Trail,
            Reason::TrailDeliveryFailing,
            message,
        ))
    };
    match delivery {
        Delivery::Fresh => None,
        Delivery::Stale => {
            degraded(format!(
                "nothing was delivered to {group} for a day, though AWS names no error"
            ));
            None
        }
        Delivery::FreshWithError(error) => {
            degraded(format!(
                "delivery to {group} works, but AWS names the error {error}"
            ));
            None
        }
        Delivery::Failing(error) => failing(format!(
            "nothing was delivered to the log group for a day; AWS names the error {error}"
        )),
        Delivery::Never(Some(error)) => failing(format!(
            "nothing was ever delivered to the log group; AWS names the error {error}"
        )),
        Delivery::Never(None) => failing("nothing was ever delivered to the log group".to_owned()),
    }
}

/// Which management events are recorded: for certain, and at most.
#[derive(Debug, Default, Clone, Copy)]
struct Recorded {
    reads: bool,
    writes: bool,
    maybe_reads: bool,
    maybe_writes: bool,
}

impl Recorded {
    fn add(&mut self, reads: bool, writes: bool, certain: bool) {
        self.reads |= reads && certain;
        self.writes |= writes && certain;
        self.maybe_reads |= reads;
        self.maybe_writes |= writes;
    }
}

fn selector_obstacle(
    selectors: &EventSelectors,
    wanted: &Wanted<'_>,
    advice: &mut Vec<Advice>,
) -> Option<Obstacle> {
    let of = |reason, message: &str| Some(Obstacle::new(Link::Trail, reason, message));
    if selectors.basic.is_empty() && selectors.advanced.is_empty() {
        return of(
            Reason::TrailUndecided,
            "AWS answered neither basic nor advanced event selectors",
        );
    }
    // A control on the events of every service is judged as if none were left out: AWS lets a trail
    // leave out two noisy ones, and the benchmark does not forbid it.
    let sources = match wanted.sources.as_slice() {
        [] => &[""],
        sources => sources,
    };
    if wanted.sources.is_empty() {
        advice.extend(left_out(selectors).into_iter().map(|source| Advice {
            code: AdviceCode::EventSourceExcluded,
            message: format!(
                "the trail leaves out {source}, whose events this control would count as well"
            ),
        }));
    }
    let mut worst: Option<Obstacle> = None;
    for source in sources {
        let recorded = recorded(selectors, source);
        let obstacle = match (recorded.reads, recorded.writes) {
            (true, true) => continue,
            _ if recorded.maybe_reads && recorded.maybe_writes => of(
                Reason::TrailUndecided,
                "an event selector has a condition that this version does not know",
            ),
            (true, false) => of(
                Reason::TrailReadOnly,
                "the event selectors record read events only",
            ),
            (false, true) => {
                if wanted.are_writes {
                    advice.push(Advice {
                        code: AdviceCode::WritesSuffice,
                        message: "the required events are writes, so a trail that records writes does record them"
                            .to_owned(),
                    });
                }
                of(
                    Reason::TrailWriteOnly,
                    "the event selectors record write events only",
                )
            }
            (false, false) if records_other_sources(selectors) => of(
                Reason::TrailEventSourceExcluded,
                &format!("the event selectors leave out {source}"),
            ),
            (false, false) => of(
                Reason::TrailNoManagementEvents,
                "the event selectors record no management events",
            ),
        };
        let is_worse = |o: &Obstacle| {
            worst
                .as_ref()
                .is_none_or(|w| o.is_broken() && !w.is_broken())
        };
        if let Some(obstacle) = obstacle.filter(is_worse) {
            worst = Some(obstacle);
        }
    }
    worst
}

/// The services that selectors name to leave out, and that no other selector takes in.
fn left_out(selectors: &EventSelectors) -> BTreeSet<&str> {
    let basic = selectors
        .basic
        .iter()
        .flat_map(|selector| &selector.exclude_management_event_sources);
    let advanced = selectors
        .advanced
        .iter()
        .flat_map(|selector| &selector.fields);
    let advanced = advanced
        .filter(|field| field.field == "eventSource")
        .flat_map(|field| &field.not_equals);
    let named = basic.chain(advanced).map(String::as_str);
    let everything = recorded(selectors, "");
    named
        .filter(|source| {
            let recorded = recorded(selectors, source);
            (recorded.reads, recorded.writes) != (everything.reads, everything.writes)
        })
        .collect()
}

fn records_other_sources(selectors: &EventSelectors) -> bool {
    let recorded = recorded(selectors, "");
    recorded.reads || recorded.writes
}

/// The union over all selectors (CloudTrail User Guide: a record that any selector takes is kept).
fn recorded(selectors: &EventSelectors, source: &str) -> Recorded {
    let mut recorded = Recorded::default();
    for selector in &selectors.basic {
        add_basic(selector, source, &mut recorded);
    }
    for selector in &selectors.advanced {
        add_advanced(selector, source, &mut recorded);
    }
    recorded
}

fn add_basic(selector: &BasicEventSelector, source: &str, recorded: &mut Recorded) {
    let excluded = selector
        .exclude_management_event_sources
        .iter()
        .any(|name| name == source);
    if !selector.include_management_events || excluded {
        return;
    }
    match selector.read_write_type.as_str() {
        "All" => recorded.add(true, true, true),
        "ReadOnly" => recorded.add(true, false, true),
        "WriteOnly" => recorded.add(false, true, true),
        _ => recorded.add(true, true, false),
    }
}

fn add_advanced(selector: &AdvancedEventSelector, source: &str, recorded: &mut Recorded) {
    let (mut reads, mut writes, mut certain, mut is_management) = (true, true, true, false);
    for field in &selector.fields {
        match field.field.as_str() {
            "eventCategory" => {
                if !holds(field, "Management") {
                    return;
                }
                is_management = true;
            }
            "readOnly" => {
                reads &= holds(field, "true");
                writes &= holds(field, "false");
            }
            // Leaving services out is told as advice; keeping to some is not known to exist.
            "eventSource" if source.is_empty() => certain &= only_leaves_out(field),
            "eventSource" => {
                if !holds(field, source) {
                    return;
                }
            }
            // Some condition narrows what is recorded, in a way that cannot be told from here.
            _ => certain = false,
        }
    }
    // AWS demands the category; a selector without one is not understood.
    recorded.add(reads, writes, certain && is_management);
}

fn only_leaves_out(field: &FieldSelector) -> bool {
    let others = [
        &field.equals,
        &field.starts_with,
        &field.ends_with,
        &field.not_starts_with,
        &field.not_ends_with,
    ];
    others.iter().all(|list| list.is_empty())
}

/// Whether a value meets all operators of a field.
fn holds(field: &FieldSelector, value: &str) -> bool {
    let any_or_unused =
        |list: &[String], fits: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(fits);
    any_or_unused(&field.equals, &|wanted| wanted == value)
        && any_or_unused(&field.starts_with, &|prefix| {
            value.starts_with(prefix.as_str())
        })
        && any_or_unused(&field.ends_with, &|suffix| value.ends_with(suffix.as_str()))
        && !field.not_equals.iter().any(|unwanted| unwanted == value)
        && !field
            .not_starts_with
            .iter()
            .any(|prefix| value.starts_with(prefix.as_str()))
        && !field
            .not_ends_with
            .iter()
            .any(|suffix| value.ends_with(suffix.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "organizations.amazonaws.com";

    fn basic(include: bool, kind: &str, excluded: &[&str]) -> BasicEventSelector {
        BasicEventSelector {
            include_management_events: include,
            read_write_type: kind.to_owned(),
            exclude_management_event_sources: excluded.iter().map(ToString::to_string).collect(),
        }
    }

    fn advanced(fields: &[(&str, &str, &str)]) -> AdvancedEventSelector {
        let field = |(name, operator, value): &(&str, &str, &str)| {
            let mut selector = FieldSelector {
                field: (*name).to_owned(),
                ..FieldSelector::default()
            };
            let list = match *operator {
                "=" => &mut selector.equals,
                "!=" => &mut selector.not_equals,
                other => panic!("{other}"),
            };
            list.push((*value).to_owned());
            selector
        };
        AdvancedEventSelector {
            fields: fields.iter().map(field).collect(),
        }
    }

    fn reason(
        basic: Vec<BasicEventSelector>,
        advanced: Vec<AdvancedEventSelector>,
    ) -> Option<Reason> {
        let wanted = Wanted {
            sources: vec![SOURCE],
            are_writes: true,
        };
        selector_obstacle(
            &EventSelectors { basic, advanced },
            &wanted,
            &mut Vec::new(),
        )
        .map(|o| o.reason)
    }

    #[test]
    fn basic_selectors_are_united() {
        assert_eq!(reason(vec![basic(true, "All", &[])], vec![]), None);
        assert_eq!(
            reason(vec![basic(true, "All", &["kms.amazonaws.com"])], vec![]),
            None
        );
        let both = vec![basic(true, "ReadOnly", &[]), basic(true, "WriteOnly", &[])];
        assert_eq!(reason(both, vec![]), None);
        assert_eq!(
            reason(vec![basic(true, "ReadOnly", &[])], vec![]),
            Some(Reason::TrailReadOnly)
        );
        assert_eq!(
            reason(vec![basic(true, "WriteOnly", &[])], vec![]),
            Some(Reason::TrailWriteOnly)
        );
        assert_eq!(
            reason(vec![basic(false, "All", &[])], vec![]),
            Some(Reason::TrailNoManagementEvents)
        );
        assert_eq!(
            reason(vec![basic(true, "All", &[SOURCE])], vec![]),
            Some(Reason::TrailEventSourceExcluded)
        );
        assert_eq!(
            reason(vec![basic(true, "Sometimes", &[])], vec![]),
            Some(Reason::TrailUndecided)
        );
        assert_eq!(reason(vec![], vec![]), Some(Reason::TrailUndecided));
    }

    #[test]
    fn advanced_selectors_are_united() {
        let management = ("eventCategory", "=", "Management");
        let all = advanced(&[management]);
        let data = advanced(&[
            ("eventCategory", "=", "Data"),
            ("resources.type", "=", "AWS::S3::Object"),
        ]);
        let reads = advanced(&[management, ("readOnly", "=", "true")]);
        let writes = advanced(&[management, ("readOnly", "=", "false")]);
        let no_kms = advanced(&[management, ("eventSource", "!=", "kms.amazonaws.com")]);
        let no_organizations = advanced(&[management, ("eventSource", "!=", SOURCE)]);
        let unknown = advanced(&[management, ("sessionCredentialFromConsole", "=", "true")]);
        assert_eq!(reason(vec![], vec![all.clone(), data.clone()]), None);
        assert_eq!(reason(vec![], vec![no_kms]), None);
        assert_eq!(reason(vec![], vec![reads.clone(), writes.clone()]), None);
        assert_eq!(
            reason(vec![], vec![reads.clone()]),
            Some(Reason::TrailReadOnly)
        );
        assert_eq!(reason(vec![], vec![writes]), Some(Reason::TrailWriteOnly));
        assert_eq!(
            reason(vec![], vec![data]),
            Some(Reason::TrailNoManagementEvents)
        );
        assert_eq!(
            reason(vec![], vec![no_organizations]),
            Some(Reason::TrailEventSourceExcluded)
        );
        assert_eq!(
            reason(vec![], vec![unknown.clone()]),
            Some(Reason::TrailUndecided)
        );
        assert_eq!(reason(vec![], vec![all, unknown]), None);
    }

    #[test]
    fn a_control_on_every_service_is_told_what_is_left_out() {
        let anything = Wanted {
            sources: Vec::new(),
            are_writes: false,
        };
        let mut advice = Vec::new();
        let selectors = EventSelectors {
            basic: vec![basic(true, "All", &["kms.amazonaws.com"])],
            advanced: Vec::new(),
        };
        assert_eq!(selector_obstacle(&selectors, &anything, &mut advice), None);
        assert_eq!(advice[0].code, AdviceCode::EventSourceExcluded);
        let mut advice = Vec::new();
        let writes = EventSelectors {
            basic: vec![basic(true, "WriteOnly", &[])],
            advanced: Vec::new(),
        };
        let obstacle = selector_obstacle(&writes, &anything, &mut advice);
        assert_eq!(obstacle.unwrap().reason, Reason::TrailWriteOnly);
        assert_eq!(advice, [], "not all of the events are writes");
    }
}
