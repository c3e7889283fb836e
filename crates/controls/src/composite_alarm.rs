//! Composite alarms: does the rule tell of one alarm, whatever the others do?
//!
//! Every other alarm may be in any state, so a rule is TRUE, FALSE or not known. A composite alarm
//! tells of an alarm if its rule is TRUE whenever that alarm is in ALARM, and FALSE while nothing
//! is: actions follow a change of state.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Advice, AdviceCode, Arn, Link, Reason,
    evidence::{CompositeAlarm, MetricAlarm},
};

use crate::{
    alarm_fires::{action_obstacle, topics_of},
    obstacle::Obstacle,
};

/// CloudWatch takes rules of up to 10,240 characters.
const LONGEST: usize = 10_240;
/// How deep a rule may be nested before we give up on it.
const DEEPEST: usize = 100;

/// The states that an alarm may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct States(u8);

impl States {
    const ALARM: Self = Self(1);
    const OK: Self = Self(2);
    const INSUFFICIENT_DATA: Self = Self(4);
    const NOT_IN_ALARM: Self = Self(6);
    const ANY: Self = Self(7);

    fn other_than(self) -> Self {
        Self(!self.0 & Self::ANY.0)
    }

    /// Whether an alarm that may be in these states is in one of the others.
    fn are_in(self, wanted: Self) -> Option<bool> {
        match self.0 & wanted.0 {
            0 => Some(false),
            both if both == self.0 => Some(true),
            _ => None,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "ALARM" => Self::ALARM,
            "OK" => Self::OK,
            "INSUFFICIENT_DATA" => Self::INSUFFICIENT_DATA,
            _ => return None,
        })
    }
}

/// How many of a list it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    Count(usize),
    Percent(usize),
}

/// A rule. What it names is a name or an ARN, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Constant(bool),
    Is(States, String),
    AtLeast(Quorum, States, Vec<String>),
    Not(Box<Rule>),
    /// Joined without parentheses: the first, and then `AND` (true) or `OR` before each.
    Joined(Box<Rule>, Vec<(bool, Rule)>),
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    and(a.map(|a| !a), b.map(|b| !b)).map(|neither| !neither)
}

/// Joins with one of the operators binding more tightly.
fn joined(first: Option<bool>, rest: &[(bool, Option<bool>)], tight: bool) -> Option<bool> {
    let join = |tighter: bool, a, b| if tighter { and(a, b) } else { or(a, b) };
    let mut outer: Option<Option<bool>> = None;
    let mut group = first;
    for (is_and, value) in rest {
        if *is_and == tight {
            group = join(tight, group, *value);
        } else {
            outer = Some(outer.map_or(group, |outer| join(!tight, outer, group)));
            group = *value;
        }
    }
    outer.map_or(group, |outer| join(!tight, outer, group))
}

impl Rule {
    /// Whether the rule is TRUE, by the states that each alarm may be in.
    fn holds(&self, states: &dyn Fn(&str) -> States) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Is(wanted, alarm) => states(alarm).are_in(*wanted),
            Self::Not(inner) => inner.holds(states).map(|value| !value),
            Self::AtLeast(quorum, wanted, alarms) => {
                let each: Vec<_> = alarms
                    .iter()
                    .map(|alarm| states(alarm).are_in(*wanted))
                    .collect();
                let sure = each.iter().filter(|one| **one == Some(true)).count();
                let possible = each.iter().filter(|one| **one != Some(false)).count();
                // How a share of the list is rounded is not documented: between the two it is open,
                // but a share above 0 is never none of them.
                let (enough, too_few) = match quorum {
                    Quorum::Count(count) => (*count, *count),
                    Quorum::Percent(share) => {
                        let share = share.saturating_mul(alarms.len());
                        (share.div_ceil(100), (share / 100).max(1))
                    }
                };
                if sure >= enough {
                    Some(true)
                } else if possible < too_few {
                    Some(false)
                } else {
                    None
                }
            }
            Self::Joined(first, rest) => {
                let first = first.holds(states);
                let rest: Vec<(bool, Option<bool>)> = rest
                    .iter()
                    .map(|(is_and, rule)| (*is_and, rule.holds(states)))
                    .collect();
                // Which of the two binds more tightly is not documented: it counts what is the
                // same either way.
                let in_order = rest.iter().fold(first, |sum, (is_and, value)| {
                    if *is_and {
                        and(sum, *value)
                    } else {
                        or(sum, *value)
                    }
                });
                let same = joined(first, &rest, true) == in_order
                    && joined(first, &rest, false) == in_order;
                in_order.filter(|_| same)
            }
        }
    }

    fn for_each_alarm<'r>(&'r self, each: &mut dyn FnMut(&'r str)) {
        match self {
            Self::Constant(_) => {}
            Self::Is(_, alarm) => each(alarm),
            Self::AtLeast(_, _, alarms) => alarms.iter().for_each(|alarm| each(alarm)),
            Self::Not(inner) => inner.for_each_alarm(each),
            Self::Joined(first, rest) => {
                first.for_each_alarm(each);
                for (_, rule) in rest {
                    rule.for_each_alarm(each);
                }
            }
        }
    }
}

struct Parser<'r> {
    rest: &'r str,
}

type Parsed<T> = Result<T, String>;

impl<'r> Parser<'r> {
    fn parse(rule: &'r str) -> Parsed<Rule> {
        if rule.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        let mut parser = Self { rest: rule };
        let parsed = parser.joined(0)?;
        if parser.peek().is_some() {
            return Err(parser.unexpected());
        }
        Ok(parsed)
    }

    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn unexpected(&mut self) -> String {
        match self.peek() {
            Some(_) => {
                let near: String = self.rest.chars().take(20).collect();
                format!("it is not understood at `{near}`")
            }
            None => "it ends too early".to_owned(),
        }
    }

    fn takes(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn must_take(&mut self, sign: char) -> Parsed<()> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn word(&mut self) -> &'r str {
        self.rest = self.rest.trim_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        let taken = self.word() == wanted;
        if !taken {
            self.rest = before;
        }
        taken
    }

    fn joined(&mut self, depth: usize) -> Parsed<Rule> {
        let first = self.single(depth)?;
        let mut rest = Vec::new();
        loop {
            let is_and = if self.takes_word("AND") {
                true
            } else if self.takes_word("OR") {
                false
            } else {
                break;
            };
            rest.push((is_and, self.single(depth)?));
        }
        if rest.is_empty() {
            Ok(first)
        } else {
            Ok(Rule::Joined(Box::new(first), rest))
        }
    }

    fn single(&mut self, depth: usize) -> Parsed<Rule> {
        if depth >= DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        if self.takes('(') {
            let inner = self.joined(depth + 1)?;
            self.must_take(')')?;
            return Ok(inner);
        }
        let before = self.rest;
        let word = self.word();
        match word {
            "TRUE" => return Ok(Rule::Constant(true)),
            "FALSE" => return Ok(Rule::Constant(false)),
            "NOT" => return Ok(Rule::Not(Box::new(self.single(depth + 1)?))),
            "AT_LEAST" => return self.at_least(),
            _ => {}
        }
        let Some(states) = States::parse(word) else {
            if word.is_empty() || self.peek() != Some('(') {
                self.rest = before;
                return Err(self.unexpected());
            }
            return Err(format!(
                "it uses the function {word}, which this version does not know"
            ));
        };
        self.must_take('(')?;
        let alarm = self.alarm()?;
        self.must_take(')')?;
        Ok(Rule::Is(states, alarm))
    }

    fn at_least(&mut self) -> Parsed<Rule> {
        self.must_take('(')?;
        let number: usize = {
            let before = self.rest;
            match self.word().parse() {
                Ok(number) if number > 0 => number,
                _ => {
                    self.rest = before;
                    return Err(self.unexpected());
                }
            }
        };
        let quorum = if self.takes('%') {
            Quorum::Percent(number)
        } else {
            Quorum::Count(number)
        };
        self.must_take(',')?;
        let in_parentheses = self.takes('(');
        let negated = self.takes_word("NOT");
        let before = self.rest;
        let Some(states) = States::parse(self.word()) else {
            self.rest = before;
            return Err(self.unexpected());
        };
        if in_parentheses {
            self.must_take(')')?;
        }
        self.must_take(',')?;
        self.must_take('(')?;
        let mut alarms = vec![self.alarm()?];
        while self.takes(',') {
            alarms.push(self.alarm()?);
        }
        self.must_take(')')?;
        self.must_take(')')?;
        // Whether an alarm that is named twice counts twice is not documented.
        let distinct: BTreeSet<&String> = alarms.iter().collect();
        if distinct.len() < alarms.len() {
            return Err("it names an alarm twice in AT_LEAST".to_owned());
        }
        let states = if negated { states.other_than() } else { states };
        Ok(Rule::AtLeast(quorum, states, alarms))
    }

    /// A name or an ARN; one with blanks, commas, parentheses or quotes stands in quotes.
    fn alarm(&mut self) -> Parsed<String> {
        if !self.takes('"') {
            self.rest = self.rest.trim_start();
            let ends = |c: char| c.is_whitespace() || "(),\"".contains(c);
            let end = self.rest.find(ends).unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(end);
            if name.is_empty() {
                return Err(self.unexpected());
            }
            self.rest = rest;
            return Ok(name.to_owned());
        }
        let mut name = String::new();
        let mut letters = self.rest.chars();
        loop {
            match letters.next() {
                None => return Err("a quote is not closed".to_owned()),
                Some('"') => break,
                Some('\\') => match letters.next() {
                    Some(escaped @ ('"' | '\\')) => name.push(escaped),
                    _ => return Err("it escapes something other than a quote".to_owned()),
                },
                Some(letter) => name.push(letter),
            }
        }
        self.rest = letters.as_str();
        Ok(name)
    }
}

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
