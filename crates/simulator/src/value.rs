//! The answer of an operation before it takes the shape of a protocol.

use std::borrow::Cow;

use jiff::Timestamp;

/// One value of an answer. The protocols differ in how they spell it, not in what it holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Integer(i64),
    Double(f64),
    Text(Cow<'static, str>),
    /// Seconds in JSON, ISO 8601 in XML, a tagged double in CBOR.
    Time(Timestamp),
    List(Vec<Value>),
    Fields(Fields),
    /// A map whose keys are data (SNS topic attributes, filter dimensions).
    Entries(Vec<(String, String)>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Cow::Owned(value.clone()))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Time(value)
    }
}

impl From<Fields> for Value {
    fn from(value: Fields) -> Self {
        Self::Fields(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(value)
    }
}

impl From<&[String]> for Value {
    fn from(values: &[String]) -> Self {
        Self::List(values.iter().map(Value::from).collect())
    }
}

/// The named members of a structure, in the order they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Leaves the member out when there is no value, as AWS does; no protocol here writes null.
    pub(crate) fn maybe<T>(self, name: &'static str, value: Option<T>) -> Self
    where
        T: Into<Value>,
    {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Leaves the member out when `present` is false.
    pub(crate) fn only_if(
        self,
        present: bool,
        name: &'static str,
        value: impl Into<Value>,
    ) -> Self {
        if present {
            self.with(name, value)
        } else {
            self
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &(&'static str, Value)> {
        self.0.iter()
    }
}
