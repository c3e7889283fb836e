//! The rule of a composite alarm: a boolean expression over the states of other alarms.

use std::collections::BTreeSet;

/// CloudWatch takes rules of up to 10,240 characters.
const LONGEST: usize = 10_240;
/// How deep a rule may be nested before we give up on it.
const DEEPEST: usize = 100;

/// The states that an alarm may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct States(u8);

impl States {
    pub(super) const ALARM: Self = Self(1);
    pub(super) const OK: Self = Self(2);
    pub(super) const INSUFFICIENT_DATA: Self = Self(4);
    pub(super) const NOT_IN_ALARM: Self = Self(6);
    pub(super) const ANY: Self = Self(7);

    pub(super) fn other_than(self) -> Self {
        Self(!self.0 & Self::ANY.0)
    }

    /// Whether an alarm that may be in these states is in one of the others.
    pub(super) fn are_in(self, wanted: Self) -> Option<bool> {
        match self.0 & wanted.0 {
            0 => Some(false),
            both if both == self.0 => Some(true),
            _ => None,
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
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
pub(super) enum Quorum {
    Count(usize),
    Percent(usize),
}

/// A rule. What it names is a name or an ARN, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
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
    pub(super) fn holds(&self, states: &dyn Fn(&str) -> States) -> Option<bool> {
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

    pub(super) fn for_each_alarm<'r>(&'r self, each: &mut dyn FnMut(&'r str)) {
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

pub(super) struct Parser<'r> {
    rest: &'r str,
}

pub(super) type Parsed<T> = Result<T, String>;

impl<'r> Parser<'r> {
    pub(super) fn parse(rule: &'r str) -> Parsed<Rule> {
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

    pub(super) fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    pub(super) fn unexpected(&mut self) -> String {
        match self.peek() {
            Some(_) => {
                let near: String = self.rest.chars().take(20).collect();
                format!("it is not understood at `{near}`")
            }
            None => "it ends too early".to_owned(),
        }
    }

    pub(super) fn takes(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    pub(super) fn must_take(&mut self, sign: char) -> Parsed<()> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn word(&mut self) -> &'r str {
        self.rest = self.rest.trim_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    pub(super) fn takes_word(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        let taken = self.word() == wanted;
        if !taken {
            self.rest = before;
        }
        taken
    }

    pub(super) fn joined(&mut self, depth: usize) -> Parsed<Rule> {
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

    pub(super) fn single(&mut self, depth: usize) -> Parsed<Rule> {
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

    pub(super) fn at_least(&mut self) -> Parsed<Rule> {
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
    pub(super) fn alarm(&mut self) -> Parsed<String> {
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
