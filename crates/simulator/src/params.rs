//! The members of a request, whatever protocol brought them.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::api_error::ApiError;
use crate::service::Service;

/// Query requests hold text where the others hold numbers and booleans; both are read.
#[derive(Debug)]
pub(crate) struct Params {
    service: Service,
    members: Value,
}

impl Params {
    pub(crate) fn new(service: Service, members: Value) -> Self {
        Self { service, members }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                self.service.invalid(format!(
                    "1 validation error detected: Value at '{name}' failed to satisfy constraint: \
                 Member must not be null"
                ))
            })
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let number = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        number.map(Some).ok_or_else(|| self.wrong(name))
    }

    /// Seconds since 1970, with a fraction or without, as the JSON protocols write a time.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let seconds = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value.as_f64(),
        };
        let time = seconds
            .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
            .and_then(|since| Timestamp::from_duration(since).ok());
        time.map(Some).ok_or_else(|| self.wrong(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(self.wrong(name)),
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, ApiError> {
        let members = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(members)) => members,
            // The query protocol writes an empty list as an empty text.
            Some(Value::String(text)) if text.is_empty() => return Ok(Some(Vec::new())),
            Some(_) => return Err(self.wrong(name)),
        };
        let texts = members
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>();
        texts.map(Some).ok_or_else(|| self.wrong(name))
    }

    /// The texts `first` and `second` of each structure in a list, such as dimensions.
    pub(crate) fn pairs(
        &self,
        name: &str,
        first: &str,
        second: &str,
    ) -> Result<Vec<(&str, &str)>, ApiError> {
        let members = match self.members.get(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(members)) => members,
            Some(Value::String(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(_) => return Err(self.wrong(name)),
        };
        members
            .iter()
            .map(|member| Some((member.get(first)?.as_str()?, member.get(second)?.as_str()?)))
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(name))
    }

    fn wrong(&self, name: &str) -> ApiError {
        self.service
            .invalid(format!("The value of {name} has the wrong type"))
    }
}
