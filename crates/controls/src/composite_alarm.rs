//! Composite alarms: does the rule tell of one alarm, whatever the others do?
//!
//! Every other alarm may be in any state, so a rule is TRUE, FALSE or not known. A composite alarm
//! tells of an alarm if its rule is TRUE whenever that alarm is in ALARM, and FALSE while nothing
//! is: actions follow a change of state.

mod rule;

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Advice, AdviceCode, Arn, Link, Reason,
    evidence::{CompositeAlarm, MetricAlarm},
};

use self::rule::{Parsed, Parser, Rule, States};
use crate::{
    alarm_fires::{action_obstacle, topics_of},
    obstacle::Obstacle,
};

/// A composite alarm with its rule read, and what it names resolved to ARNs where they are known.
struct Read<'e> {
    composite: &'e CompositeAlarm,
    rule: Parsed<Rule>,
    names: BTreeSet<String>,
}

/// The topics among the actions of a composite alarm.
pub(crate) fn composite_topics(composite: &CompositeAlarm) -> Vec<Arn> {
    topics_of(&composite.alarm_actions)
}

/// Every composite alarm that involves the alarm, directly or through others, with what keeps it
/// from telling somebody when the alarm goes to ALARM. In the order given.
///
/// Composite alarms and what they name live in one account and region.
pub(crate) fn composites_telling<'e>(
    alarm: &MetricAlarm,
    composites: &'e [CompositeAlarm],
) -> Vec<(&'e CompositeAlarm, Vec<Obstacle>, Vec<Advice>)> {
    let here: Vec<&CompositeAlarm> = composites
        .iter()
        .filter(|composite| composite.arn.home() == alarm.arn.home())
        .collect();
    Family::new(alarm, &here).answers()
}

/// An alarm and the composite alarms of its account and region.
struct Family<'a, 'e> {
    alarm: &'a MetricAlarm,
    by_name: BTreeMap<&'a str, &'a str>,
    members: Vec<Read<'e>>,
    /// Composite alarms that are in ALARM whenever the alarm is, and not while nothing is.
    follows: BTreeSet<&'a str>,
    /// Those of them that no other alarm can hold in ALARM.
    only: BTreeSet<&'a str>,
}

impl<'a, 'e: 'a> Family<'a, 'e> {
    fn new(alarm: &'a MetricAlarm, composites: &[&'e CompositeAlarm]) -> Self {
        let mut by_name: BTreeMap<&str, &str> = composites
            .iter()
            .map(|composite| (composite.name.as_str(), composite.arn.as_str()))
            .collect();
        by_name.insert(&alarm.name, alarm.arn.as_str());
        let members = composites
            .iter()
            .map(|composite| {
                let rule = Parser::parse(&composite.rule);
                let mut names = BTreeSet::new();
                if let Ok(rule) = &rule {
                    rule.for_each_alarm(&mut |name| {
                        names.insert((*by_name.get(name).unwrap_or(&name)).to_owned());
                    });
                }
                Read {
                    composite,
                    rule,
                    names,
                }
            })
            .collect();
        let mut family = Self {
            alarm,
            by_name,
            members,
            follows: BTreeSet::new(),
            only: BTreeSet::new(),
        };
        family.follow();
        family
    }

    /// What an alarm is called in the sets: its ARN, where we know it.
    fn known<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        self.by_name.get(name).copied().unwrap_or(name)
    }

    /// Whether the rule holds in each state that the alarm may be in while nothing happens, with
    /// the others in those given.
    fn in_idle_states(&self, rule: &Rule, others: impl Fn(&str) -> States) -> Option<bool> {
        let idle: &[States] = match self.alarm.treat_missing_data.as_deref() {
            // Nothing is ever missing to such an alarm.
            Some("notBreaching") => &[States::OK],
            _ => &[States::OK, States::INSUFFICIENT_DATA],
        };
        let mut each = idle.iter().map(|state| {
            rule.holds(&|name| {
                let name = self.known(name);
                if name == self.alarm.arn.as_str() {
                    *state
                } else {
                    others(name)
                }
            })
        });
        let first = each.next().flatten();
        first.filter(|_| each.all(|other| other == first))
    }

    /// Whether the rule holds while the alarm is in ALARM.
    fn while_in_alarm(&self, rule: &Rule) -> Option<bool> {
        rule.holds(&|name| {
            let name = self.known(name);
            if name == self.alarm.arn.as_str() || self.follows.contains(name) {
                States::ALARM
            } else {
                States::ANY
            }
        })
    }

    /// Whether the rule holds while no alarm at all is in ALARM.
    fn while_quiet(&self, rule: &Rule) -> Option<bool> {
        self.in_idle_states(rule, |_| States::NOT_IN_ALARM)
    }

    /// Whether the rule holds while this alarm is not in ALARM, whatever others do.
    fn while_idle(&self, rule: &Rule) -> Option<bool> {
        self.in_idle_states(rule, |name| {
            if self.only.contains(name) {
                States::NOT_IN_ALARM
            } else {
                States::ANY
            }
        })
    }

    /// Whether the rule holds in each state of the alarm, whatever others do.
    fn always(&self, rule: &Rule) -> bool {
        let each = [States::ALARM, States::OK, States::INSUFFICIENT_DATA];
        each.into_iter().all(|state| {
            let of = |name: &str| {
                if self.known(name) == self.alarm.arn.as_str() {
                    state
                } else {
                    States::ANY
                }
            };
            rule.holds(&of) == Some(true)
        })
    }

    /// Finds the composite alarms that follow the alarm: directly first, then through others.
    fn follow(&mut self) {
        let circular = self.circular();
        loop {
            let next = self.members.iter().find(|member| {
                let arn = member.composite.arn.as_str();
                !self.follows.contains(arn)
                    && !circular.contains(arn)
                    && member.rule.as_ref().is_ok_and(|rule| {
                        self.while_in_alarm(rule) == Some(true)
                            && self.while_quiet(rule) == Some(false)
                    })
            });
            let Some(member) = next else { return };
            let arn = member.composite.arn.as_str();
            let only = member
                .rule
                .as_ref()
                .is_ok_and(|rule| self.while_idle(rule) == Some(false));
            self.follows.insert(arn);
            if only {
                self.only.insert(arn);
            }
        }
    }

    /// Composite alarms that lead to a circle, whose evaluation CloudWatch stops.
    fn circular(&self) -> BTreeSet<&'a str> {
        let mut open: BTreeMap<&'a str, &BTreeSet<String>> = self
            .members
            .iter()
            .map(|member| (member.composite.arn.as_str(), &member.names))
            .collect();
        loop {
            let done: Vec<&'a str> = open
                .iter()
                .filter(|(_, names)| !names.iter().any(|name| open.contains_key(name.as_str())))
                .map(|(arn, _)| *arn)
                .collect();
            if done.is_empty() {
                return open.into_keys().collect();
            }
            for arn in done {
                open.remove(arn);
            }
        }
    }

    /// The composite alarms that name the alarm, or one that does.
    fn involved(&self) -> BTreeSet<&'a str> {
        let mut names: BTreeSet<&str> = BTreeSet::from([self.alarm.name.as_str()]);
        let mut arns: BTreeSet<&str> = BTreeSet::from([self.alarm.arn.as_str()]);
        loop {
            let next = self.members.iter().find(|member| {
                let text = &member.composite.rule;
                !arns.contains(member.composite.arn.as_str())
                    && match &member.rule {
                        Ok(_) => member.names.iter().any(|name| arns.contains(name.as_str())),
                        // Not read, so it may name whatever stands in it.
                        Err(_) => names.iter().chain(&arns).any(|name| text.contains(name)),
                    }
            });
            let Some(member) = next else { break };
            arns.insert(member.composite.arn.as_str());
            names.insert(&member.composite.name);
        }
        arns.remove(self.alarm.arn.as_str());
        arns
    }

    fn answers(&self) -> Vec<(&'e CompositeAlarm, Vec<Obstacle>, Vec<Advice>)> {
        let involved = self.involved();
        let circular = self.circular();
        let of = |member: &Read<'e>| {
            let composite = member.composite;
            let is_circular = circular.contains(composite.arn.as_str());
            let mut advice = Vec::new();
            let mut obstacles: Vec<Obstacle> = self
                .rule_obstacle(member, is_circular, &mut advice)
                .into_iter()
                .collect();
            if let Some(suppressor) = &composite.actions_suppressor {
                obstacles.push(undecided(format!(
                    "the alarm `{suppressor}` suppresses the actions of the composite alarm `{}`; when it does is not decided",
                    composite.name
                )));
            }
            obstacles.extend(action_obstacle(
                &format!("the composite alarm `{}`", composite.name),
                composite.actions_enabled,
                &composite.alarm_actions,
            ));
            (composite, obstacles, advice)
        };
        self.members
            .iter()
            .filter(|member| involved.contains(member.composite.arn.as_str()))
            .map(of)
            .collect()
    }

    fn rule_obstacle(
        &self,
        member: &Read<'e>,
        is_circular: bool,
        advice: &mut Vec<Advice>,
    ) -> Option<Obstacle> {
        let CompositeAlarm {
            name, rule: text, ..
        } = member.composite;
        let rule = match &member.rule {
            Ok(rule) => rule,
            Err(why) => {
                return Some(undecided(format!(
                    "cannot decide the rule `{text}` of the composite alarm `{name}`: {why}"
                )));
            }
        };
        if is_circular {
            return Some(undecided(format!(
                "the rule `{text}` of the composite alarm `{name}` leads in a circle, which CloudWatch stops to evaluate"
            )));
        }
        let broken = |reason, message: String| Some(Obstacle::new(Link::Alarm, reason, message));
        if self.always(rule) {
            return broken(
                Reason::AlarmStuck,
                format!(
                    "the rule `{text}` of the composite alarm `{name}` holds whatever this alarm does"
                ),
            );
        }
        match self.while_in_alarm(rule) {
            Some(true) => {}
            Some(false) => {
                return broken(
                    Reason::AlarmNeverFires,
                    format!(
                        "the rule `{text}` of the composite alarm `{name}` does not hold while this alarm is in ALARM"
                    ),
                );
            }
            None => {
                return Some(undecided(format!(
                    "whether the rule `{text}` of the composite alarm `{name}` holds depends on other alarms"
                )));
            }
        }
        if self.while_quiet(rule) != Some(false) {
            return Some(undecided(format!(
                "the rule `{text}` of the composite alarm `{name}` may hold before this alarm goes to ALARM, and then nobody is told"
            )));
        }
        if self.while_idle(rule) != Some(false) {
            advice.push(Advice {
                code: AdviceCode::TellsThroughComposite,
                message: format!(
                    "the composite alarm `{name}` tells for other alarms as well: while another one holds it in ALARM, nobody is told again"
                ),
            });
        }
        None
    }
}

fn undecided(message: String) -> Obstacle {
    Obstacle::new(Link::Alarm, Reason::AlarmUndecided, message)
}

#[cfg(test)]
mod tests;
