//! Metric math of alarms, as far as it comes to one metric: a small parser, and what an expression
//! does to the data points of that metric.

use std::collections::BTreeSet;

use model::evidence::MetricQuery;

use crate::data_points::Interval;

/// CloudWatch takes expressions of up to 2,048 characters.
const LONGEST: usize = 2048;
/// How deep an expression, and what it refers to, may be nested before we give up on it.
const DEEPEST: usize = 100;
/// How many steps an evaluation may take: expressions that name others twice can grow quickly.
const MOST_STEPS: usize = 5000;

/// What an expression does to each data point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Add(f64),
    /// The data point is taken from this.
    SubtractFrom(f64),
    Multiply(f64),
    Divide(f64),
    /// Missing data becomes this.
    Fill(f64),
}

/// A calculation leaves the range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Takes a data point through the steps; `None` is missing data.
pub(crate) fn apply(
    steps: &[Step],
    point: Option<Interval>,
) -> Result<Option<Interval>, OutOfRange> {
    let mut point = point;
    for step in steps {
        let after = match (point, *step) {
            (None, Step::Fill(value)) => Interval::exactly(value),
            (None, _) => continue,
            (Some(known), step) => known.map(|x| match step {
                Step::Add(value) => x + value,
                Step::SubtractFrom(value) => value - x,
                Step::Multiply(value) => x * value,
                Step::Divide(value) => x / value,
                Step::Fill(_) => x,
            }),
        };
        point = Some(after.ok_or(OutOfRange)?);
    }
    Ok(point)
}

/// What an alarm's queries come to.
#[derive(Debug, PartialEq)]
pub(crate) enum Reduction<'a> {
    /// The metric of this query, taken through these steps.
    Ours(&'a MetricQuery, Vec<Step>),
    /// What the alarm looks at has nothing to do with the metric.
    Other(&'a MetricQuery),
    /// Why it is not decided.
    Undecided(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Number(f64),
    Text(String),
    Id(String),
    Array(Vec<Expression>),
    Call(String, Vec<Expression>),
    Negated(Box<Expression>),
    Binary(Box<Expression>, Operator, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Powers, comparisons and logic, which we read and do not decide.
    Other,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Sign(char),
    /// A comparison or a logical operator.
    Logic,
}

/// The expression is not one that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NotRead;

fn tokens(text: &str) -> Result<Vec<Token>, NotRead> {
    let mut list = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let split = |keep: &dyn Fn(char) -> bool| {
            let end = rest.find(|c: char| !keep(c)).unwrap_or(rest.len());
            rest.split_at(end)
        };
        let (token, after) = match first {
            '0'..='9' | '.' => {
                let (digits, after) = split(&|c| c.is_ascii_digit() || c == '.');
                let number = digits.parse::<f64>().map_err(|_| NotRead)?;
                (Token::Number(number), after)
            }
            'a'..='z' | 'A'..='Z' => {
                let (word, after) = split(&|c| c.is_ascii_alphanumeric() || c == '_');
                let token = match word {
                    "AND" | "OR" => Token::Logic,
                    _ => Token::Word(word.to_owned()),
                };
                (token, after)
            }
            '"' | '\'' => {
                let inner = rest.get(1..).ok_or(NotRead)?;
                let (text, after) = inner.split_once(first).ok_or(NotRead)?;
                // How quotes are escaped is not documented.
                if text.contains('\\') {
                    return Err(NotRead);
                }
                (Token::Text(text.to_owned()), after)
            }
            '<' | '>' | '=' | '!' | '&' | '|' => {
                let (_, after) = split(&|c| "<>=!&|".contains(c));
                (Token::Logic, after)
            }
            '+' | '-' | '*' | '/' | '^' | '(' | ')' | '[' | ']' | ',' => {
                (Token::Sign(first), rest.get(1..).unwrap_or_default())
            }
            _ => return Err(NotRead),
        };
        list.push(token);
        rest = after.trim_start();
    }
    Ok(list)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser {
    fn parse(text: &str) -> Result<Expression, NotRead> {
        if text.len() > LONGEST {
            return Err(NotRead);
        }
        let mut parser = Self {
            tokens: tokens(text)?.into_iter().peekable(),
        };
        let expression = parser.logic(0)?;
        if parser.tokens.peek().is_some() {
            return Err(NotRead);
        }
        Ok(expression)
    }

    fn takes(&mut self, sign: char) -> bool {
        self.tokens
            .next_if(|token| *token == Token::Sign(sign))
            .is_some()
    }

    fn logic(&mut self, depth: usize) -> Result<Expression, NotRead> {
        let mut left = self.sum(depth)?;
        while self
            .tokens
            .next_if(|token| *token == Token::Logic)
            .is_some()
        {
            let right = self.sum(depth)?;
            left = Expression::Binary(Box::new(left), Operator::Other, Box::new(right));
        }
        Ok(left)
    }

    fn sum(&mut self, depth: usize) -> Result<Expression, NotRead> {
        let mut left = self.product(depth)?;
        loop {
            let operator = if self.takes('+') {
                Operator::Add
            } else if self.takes('-') {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product(depth)?;
            left = Expression::Binary(Box::new(left), operator, Box::new(right));
        }
    }

    fn product(&mut self, depth: usize) -> Result<Expression, NotRead> {
        let mut left = self.single(depth)?;
        loop {
            let operator = if self.takes('*') {
                Operator::Multiply
            } else if self.takes('/') {
                Operator::Divide
            } else if self.takes('^') {
                Operator::Other
            } else {
                return Ok(left);
            };
            let right = self.single(depth)?;
            left = Expression::Binary(Box::new(left), operator, Box::new(right));
        }
    }

    fn single(&mut self, depth: usize) -> Result<Expression, NotRead> {
        if depth >= DEEPEST {
            return Err(NotRead);
        }
        let expression = match self.tokens.next().ok_or(NotRead)? {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text),
            Token::Word(word) if self.takes('(') => Expression::Call(word, self.list(')', depth)?),
            Token::Word(word) => Expression::Id(word),
            Token::Sign('-') => Expression::Negated(Box::new(self.single(depth + 1)?)),
            Token::Sign('[') => Expression::Array(self.list(']', depth)?),
            Token::Sign('(') => {
                let inner = self.logic(depth + 1)?;
                if !self.takes(')') {
                    return Err(NotRead);
                }
                inner
            }
            Token::Sign(_) | Token::Logic => return Err(NotRead),
        };
        Ok(expression)
    }

    fn list(&mut self, end: char, depth: usize) -> Result<Vec<Expression>, NotRead> {
        let mut list = Vec::new();
        if self.takes(end) {
            return Ok(list);
        }
        loop {
            list.push(self.logic(depth + 1)?);
            if self.takes(end) {
                return Ok(list);
            }
            if !self.takes(',') {
                return Err(NotRead);
            }
        }
    }
}

/// Functions that read nothing but what they are given, or metrics by `METRICS`.
const READS_ITS_ARGUMENTS: &[&str] = &[
    "ABS",
    "ANOMALY_DETECTION_BAND",
    "AVG",
    "CEIL",
    "DATAPOINT_COUNT",
    "DATE",
    "DAY",
    "DIFF",
    "DIFF_TIME",
    "EPOCH",
    "FILL",
    "FIRST",
    "FLOOR",
    "HOUR",
    "IF",
    "LAST",
    "LOG",
    "LOG10",
    "MAX",
    "METRICS",
    "METRIC_COUNT",
    "MIN",
    "MINUTE",
    "MONTH",
    "PERIOD",
    "RATE",
    "REMOVE_EMPTY",
    "RUNNING_SUM",
    "SLICE",
    "SORT",
    "STDDEV",
    "SUM",
    "TIME_SERIES",
    "YEAR",
];

/// Words that stand beside functions and are no ids of queries.
const WORDS: &[&str] = &["REPEAT", "LINEAR", "ASC", "DESC", "TRUE", "FALSE"];

/// What an expression, with all that it refers to, looks at.
#[derive(Default)]
struct Uses<'a> {
    queries: BTreeSet<&'a str>,
    anomaly: bool,
    /// It may look at more than its parts say.
    more: bool,
}

/// The value of an expression: a number, the metric with steps behind it, or a list.
#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Number(f64),
    Series(&'a MetricQuery, Vec<Step>),
    List(Vec<Value<'a>>),
}

struct Math<'a, F> {
    queries: &'a [MetricQuery],
    is_ours: F,
    steps_left: usize,
}

/// The metric queries that `METRICS()` and `METRICS("text")` stand for: no expressions, and only
/// those with the text in their id.
fn metrics_of<'a>(
    queries: &'a [MetricQuery],
    arguments: &[Expression],
) -> Result<Vec<&'a MetricQuery>, NotRead> {
    let text = match arguments {
        [] => "",
        [Expression::Text(text)] => text.as_str(),
        _ => return Err(NotRead),
    };
    let plain = queries.iter().filter(|query| query.expression.is_none());
    Ok(plain.filter(|query| query.id.contains(text)).collect())
}

impl<'a, F: Fn(&MetricQuery) -> bool> Math<'a, F> {
    fn query(&self, id: &str) -> Option<&'a MetricQuery> {
        self.queries.iter().find(|query| query.id == id)
    }

    fn uses(&self, expression: &Expression, uses: &mut Uses<'a>, depth: usize) {
        if depth >= 2 * DEEPEST {
            uses.more = true;
            return;
        }
        match expression {
            Expression::Number(_) | Expression::Text(_) => {}
            Expression::Id(id) => match self.query(id) {
                Some(query) => self.uses_query(query, uses, depth + 1),
                None if WORDS.contains(&id.as_str()) => {}
                None => uses.more = true,
            },
            Expression::Array(list) => {
                for part in list {
                    self.uses(part, uses, depth + 1);
                }
            }
            Expression::Call(name, arguments) => {
                uses.anomaly |= name == "ANOMALY_DETECTION_BAND";
                uses.more |= !READS_ITS_ARGUMENTS.contains(&name.as_str());
                if name == "METRICS" {
                    match metrics_of(self.queries, arguments) {
                        Ok(list) => uses.queries.extend(list.iter().map(|one| one.id.as_str())),
                        Err(NotRead) => uses.more = true,
                    }
                }
                for part in arguments {
                    self.uses(part, uses, depth + 1);
                }
            }
            Expression::Negated(inner) => self.uses(inner, uses, depth + 1),
            Expression::Binary(left, _, right) => {
                self.uses(left, uses, depth + 1);
                self.uses(right, uses, depth + 1);
            }
        }
    }

    fn uses_query(&self, query: &'a MetricQuery, uses: &mut Uses<'a>, depth: usize) {
        if !uses.queries.insert(&query.id) {
            return;
        }
        if let Some(text) = &query.expression {
            match Parser::parse(text) {
                Ok(expression) => self.uses(&expression, uses, depth),
                Err(NotRead) => uses.more = true,
            }
        }
    }

    fn value_of_query(
        &mut self,
        query: &'a MetricQuery,
        depth: usize,
    ) -> Result<Value<'a>, NotRead> {
        match &query.expression {
            Some(text) => self.value(&Parser::parse(text)?, depth + 1),
            None if (self.is_ours)(query) => Ok(Value::Series(query, Vec::new())),
            None => Err(NotRead),
        }
    }

    fn value(&mut self, expression: &Expression, depth: usize) -> Result<Value<'a>, NotRead> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(NotRead)?;
        if depth >= 2 * DEEPEST {
            return Err(NotRead);
        }
        let depth = depth + 1;
        match expression {
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Text(_) => Err(NotRead),
            Expression::Id(id) => {
                let query = self.query(id).ok_or(NotRead)?;
                self.value_of_query(query, depth)
            }
            Expression::Array(list) => {
                let values = list.iter().map(|part| self.value(part, depth));
                Ok(Value::List(values.collect::<Result<_, _>>()?))
            }
            Expression::Negated(inner) => {
                let inner = self.value(inner, depth)?;
                calculated(Value::Number(0.0), Operator::Subtract, inner)
            }
            Expression::Binary(left, operator, right) => {
                let left = self.value(left, depth)?;
                let right = self.value(right, depth)?;
                calculated(left, *operator, right)
            }
            Expression::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
                ("METRICS", _) => {
                    let list = metrics_of(self.queries, arguments)?.into_iter();
                    let values = list.map(|query| self.value_of_query(query, depth));
                    Ok(Value::List(values.collect::<Result<_, _>>()?))
                }
                ("FILL", [series, value]) => {
                    let Value::Number(value) = self.value(value, depth)? else {
                        return Err(NotRead);
                    };
                    filled(self.value(series, depth)?, value)
                }
                // Over a list they go point by point, and over a list of one they change nothing.
                // Over a series they come to one number for all of its points.
                ("SUM" | "AVG" | "MAX" | "MIN", [list]) => match self.value(list, depth)? {
                    Value::List(list) => single(list),
                    _ => Err(NotRead),
                },
                _ => Err(NotRead),
            },
        }
    }
}

fn single(list: Vec<Value<'_>>) -> Result<Value<'_>, NotRead> {
    match <[Value<'_>; 1]>::try_from(list) {
        Ok([series @ Value::Series(..)]) => Ok(series),
        _ => Err(NotRead),
    }
}

fn filled(value: Value<'_>, with: f64) -> Result<Value<'_>, NotRead> {
    match value {
        Value::Series(query, mut steps) => {
            steps.push(Step::Fill(with));
            Ok(Value::Series(query, steps))
        }
        Value::List(list) => {
            let list = list.into_iter().map(|one| filled(one, with));
            Ok(Value::List(list.collect::<Result<_, _>>()?))
        }
        Value::Number(_) => Err(NotRead),
    }
}

fn calculated<'a>(
    left: Value<'a>,
    operator: Operator,
    right: Value<'a>,
) -> Result<Value<'a>, NotRead> {
    let finite = |number: f64| {
        let finite = number.is_finite().then_some(Value::Number(number));
        finite.ok_or(NotRead)
    };
    let (query, mut steps, step) = match (left, operator, right) {
        (_, Operator::Other, _) | (_, Operator::Divide, Value::Number(0.0)) => return Err(NotRead),
        (Value::Number(a), Operator::Add, Value::Number(b)) => return finite(a + b),
        (Value::Number(a), Operator::Subtract, Value::Number(b)) => return finite(a - b),
        (Value::Number(a), Operator::Multiply, Value::Number(b)) => return finite(a * b),
        (Value::Number(a), Operator::Divide, Value::Number(b)) => return finite(a / b),
        (Value::Series(query, steps), Operator::Add, Value::Number(number))
        | (Value::Number(number), Operator::Add, Value::Series(query, steps)) => {
            (query, steps, Step::Add(number))
        }
        (Value::Series(query, steps), Operator::Multiply, Value::Number(number))
        | (Value::Number(number), Operator::Multiply, Value::Series(query, steps)) => {
            (query, steps, Step::Multiply(number))
        }
        (Value::Series(query, steps), Operator::Subtract, Value::Number(number)) => {
            (query, steps, Step::Add(-number))
        }
        (Value::Number(number), Operator::Subtract, Value::Series(query, steps)) => {
            (query, steps, Step::SubtractFrom(number))
        }
        (Value::Series(query, steps), Operator::Divide, Value::Number(number)) => {
            (query, steps, Step::Divide(number))
        }
        _ => return Err(NotRead),
    };
    steps.push(step);
    Ok(Value::Series(query, steps))
}

/// What an alarm's queries come to, where `is_ours` knows the metric that is published.
pub(crate) fn reduce(
    queries: &[MetricQuery],
    is_ours: impl Fn(&MetricQuery) -> bool,
) -> Reduction<'_> {
    let mut math = Math {
        queries,
        is_ours,
        steps_left: MOST_STEPS,
    };
    let mut returned = queries.iter().filter(|query| query.return_data);
    let (Some(query), None) = (returned.next(), returned.next()) else {
        let detects = |query: &&MetricQuery| {
            let text = query.expression.as_deref();
            text.is_some_and(|text| text.contains("ANOMALY_DETECTION_BAND"))
        };
        return Reduction::Undecided(match queries.iter().find(detects) {
            Some(band) => anomaly(band),
            None => "the alarm's queries do not say which one of them it looks at".to_owned(),
        });
    };
    let ids: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    if ids.len() < queries.len() {
        return Reduction::Undecided("several of the alarm's queries have the same id".to_owned());
    }
    if queries
        .iter()
        .any(|query| query.expression.is_some() == query.metric.is_some())
    {
        return Reduction::Undecided(
            "one of the alarm's queries names neither a metric nor an expression, or both"
                .to_owned(),
        );
    }
    let mut uses = Uses::default();
    math.uses_query(query, &mut uses, 0);
    let ours = |id: &str| {
        let query = math.query(id);
        query.is_some_and(|query| query.expression.is_none() && (math.is_ours)(query))
    };
    if !uses.more && !uses.queries.iter().any(|id| ours(id)) {
        return Reduction::Other(query);
    }
    if uses.anomaly {
        return Reduction::Undecided(anomaly(query));
    }
    let value = math.value_of_query(query, 0);
    let value = match value {
        Ok(Value::List(list)) => single(list),
        other => other,
    };
    match value {
        Ok(Value::Series(query, steps)) => Reduction::Ours(query, steps),
        _ => Reduction::Undecided(format!(
            "cannot decide metric math `{}`",
            query.expression.as_deref().unwrap_or(&query.id)
        )),
    }
}

fn anomaly(query: &MetricQuery) -> String {
    format!(
        "cannot decide metric math `{}`: anomaly detection has no fixed threshold",
        query.expression.as_deref().unwrap_or(&query.id)
    )
}

#[cfg(test)]
mod tests;
