//! CloudTrail trails.

use serde::Deserialize;

/// A trail, in the account that owns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    pub name: String,
    pub home_region: String,
    pub is_multi_region: bool,
    pub is_organization: bool,
    pub is_logging: bool,
    /// The ARN with `:*` at its end, wherever the group lives.
    pub log_group_arn: Option<String>,
    pub selectors: Selectors,
    pub delivery: Delivery,
    pub s3_bucket: String,
    pub kms_key: Option<String>,
}

/// What a trail records: one form or the other, never both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selectors {
    Basic(Vec<EventSelector>),
    Advanced(Vec<AdvancedSelector>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSelector {
    /// `All`, `ReadOnly` or `WriteOnly`; other words are sent as they stand.
    pub read_write_type: String,
    pub include_management_events: bool,
    pub exclude_sources: Vec<String>,
}

impl Default for EventSelector {
    fn default() -> Self {
        Self {
            read_write_type: "All".to_owned(),
            include_management_events: true,
            exclude_sources: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdvancedSelector {
    pub name: Option<String>,
    pub fields: Vec<FieldSelector>,
}

/// One condition of an advanced selector; a selector holds where all its conditions do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldSelector {
    pub field: String,
    pub equals: Vec<String>,
    pub starts_with: Vec<String>,
    pub ends_with: Vec<String>,
    pub not_equals: Vec<String>,
    pub not_starts_with: Vec<String>,
    pub not_ends_with: Vec<String>,
}

impl Selectors {
    /// What a trail has that nobody configured.
    pub fn all_management_events() -> Self {
        Self::Basic(vec![EventSelector::default()])
    }

    /// Basic selectors with another `ReadWriteType`.
    pub fn only(read_write_type: &str) -> Self {
        Self::Basic(vec![EventSelector {
            read_write_type: read_write_type.to_owned(),
            ..EventSelector::default()
        }])
    }

    /// An advanced selector per entry, each with `readOnly Equals` that value, or without it.
    pub fn advanced(read_only: &[Option<&str>]) -> Self {
        let selector = |value: Option<&str>| {
            let mut fields = vec![FieldSelector {
                field: "eventCategory".to_owned(),
                equals: vec!["Management".to_owned()],
                ..FieldSelector::default()
            }];
            fields.extend(value.map(|value| FieldSelector {
                field: "readOnly".to_owned(),
                equals: vec![value.to_owned()],
                ..FieldSelector::default()
            }));
            AdvancedSelector {
                name: Some("Management events".to_owned()),
                fields,
            }
        };
        Self::Advanced(read_only.iter().copied().map(selector).collect())
    }
}

/// How delivery to CloudWatch Logs goes. Times are told relative to the simulator's clock, so
/// that they move between any two requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The last delivery was a few minutes ago.
    #[default]
    Fresh,
    /// No error, but nothing for this many hours.
    Stale { hours: i64 },
    /// An error. `last_success_hours` is `None` where nothing was ever delivered.
    Failing {
        code: String,
        last_success_hours: Option<i64>,
    },
    /// Neither a time nor an error.
    Never,
}
