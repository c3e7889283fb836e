//! The scenario format as it is written. What a table leaves out is what works.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::faults::FaultRule;
use crate::load::Load;
use crate::world::{
    AccountState, AdvancedSelector, BenchmarkControl, ChainNames, EvaluationWindow,
    EventHistorySettings, EventSelector, MetricQuery, MuteKind, MuteStatus, Partition, Quirks,
    SubscriptionState,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) partition: Partition,
    /// Where chains live; the partition's default region when not set.
    pub(super) region: Option<String>,
    pub(super) organization: OrganizationTable,
    pub(super) caller: CallerTable,
    /// What every role has that does not say otherwise.
    pub(super) role: RoleTable,
    pub(super) quirks: Quirks,
    pub(super) load: Load,
    /// Planted in every free text.
    pub(super) canary: Option<String>,
    pub(super) account: Vec<AccountTable>,
    pub(super) fault: Vec<FaultRule>,
    pub(super) event_history: EventHistorySettings,
    /// Read entry by entry: what else an entry has depends on its change.
    pub(super) timeline: Vec<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OrganizationTable {
    /// `false`: the accounts stand alone, and Organizations is not in use.
    pub(super) exists: bool,
    pub(super) id: String,
    pub(super) feature_set: String,
    /// The first account when not set.
    pub(super) management: Option<String>,
}

impl Default for OrganizationTable {
    fn default() -> Self {
        Self {
            exists: true,
            id: "o-simulated0".to_owned(),
            feature_set: "ALL".to_owned(),
            management: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CallerTable {
    /// The management account when not set.
    pub(super) account: Option<String>,
    pub(super) principal: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RoleTable {
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) max_session_seconds: Option<i64>,
    pub(super) allow: Option<Vec<String>>,
    pub(super) trusted: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountTable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) state: AccountState,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// So many accounts of this kind, named `name-1`, `name-2` and so on.
    #[serde(default)]
    pub(super) count: Option<u32>,
    #[serde(default = "yes")]
    pub(super) member: bool,
    #[serde(default = "yes")]
    pub(super) organization_trail: bool,
    #[serde(default)]
    pub(super) delegated_administrator: Vec<String>,
    #[serde(default)]
    pub(super) opted_in_regions: Vec<String>,
    #[serde(default)]
    pub(super) roles: Option<Vec<RoleTable>>,
    #[serde(default)]
    pub(super) deny: Vec<String>,
    #[serde(default)]
    pub(super) scp_deny: Vec<String>,
    #[serde(default)]
    pub(super) region_deny: Vec<String>,
    #[serde(default)]
    pub(super) chain: ChainKind,
    #[serde(default)]
    pub(super) trails: Option<Vec<TrailTable>>,
    #[serde(default)]
    pub(super) log_groups: Option<Vec<LogGroupTable>>,
    #[serde(default)]
    pub(super) filters: Option<Vec<FilterTable>>,
    #[serde(default)]
    pub(super) alarms: Option<Vec<AlarmTable>>,
    #[serde(default)]
    pub(super) composite_alarms: Vec<CompositeAlarmTable>,
    #[serde(default)]
    pub(super) mute_rules: Vec<MuteRuleTable>,
    #[serde(default)]
    pub(super) topics: Option<Vec<TopicTable>>,
    #[serde(default)]
    pub(super) event_rules: Vec<EventRuleTable>,
}

fn yes() -> bool {
    true
}

/// What an account has before its lists replace some of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ChainKind {
    #[default]
    None,
    /// One good trail, log group, filter, alarm and topic, for the control on AWS Organizations.
    Complete,
    /// The same with a filter and an alarm for each of the fifteen controls. A filter or alarm
    /// that is written takes the place of that of its `control`; an empty list removes them all.
    Benchmark,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TrailTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) multi_region: bool,
    pub(super) organization: bool,
    pub(super) logging: bool,
    pub(super) without_log_group: bool,
    pub(super) log_group: String,
    pub(super) log_group_account: Option<String>,
    pub(super) log_group_region: Option<String>,
    pub(super) selectors: Option<SelectorPreset>,
    pub(super) event_selectors: Option<Vec<EventSelector>>,
    pub(super) advanced_selectors: Option<Vec<AdvancedSelector>>,
    pub(super) delivery: DeliveryKind,
    pub(super) delivery_error: String,
    pub(super) delivery_hours: i64,
    pub(super) kms_key: Option<String>,
}

impl Default for TrailTable {
    fn default() -> Self {
        let names = ChainNames::default();
        Self {
            name: names.trail,
            region: None,
            multi_region: true,
            organization: false,
            logging: true,
            without_log_group: false,
            log_group: names.log_group,
            log_group_account: None,
            log_group_region: None,
            selectors: None,
            event_selectors: None,
            advanced_selectors: None,
            delivery: DeliveryKind::Fresh,
            delivery_error: "AccessDenied".to_owned(),
            delivery_hours: 72,
            kms_key: None,
        }
    }
}

/// Selectors that are met often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SelectorPreset {
    All,
    ReadOnly,
    WriteOnly,
    NoManagement,
    Empty,
    AdvancedAll,
    AdvancedReadOnly,
    AdvancedWriteOnly,
    /// One selector for reads and one for writes.
    AdvancedSplit,
    /// Data events only.
    AdvancedData,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DeliveryKind {
    #[default]
    Fresh,
    /// Nothing for `delivery_hours`, and no error.
    Stale,
    /// `delivery_error`, and the last success `delivery_hours` ago.
    Failing,
    /// `delivery_error`, and no success ever.
    NeverWorked,
    /// Neither a time nor an error.
    Never,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LogGroupTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) class: String,
    /// Leaves the field out of answers.
    pub(super) without_class: bool,
    pub(super) retention_days: Option<i64>,
}

impl Default for LogGroupTable {
    fn default() -> Self {
        Self {
            name: ChainNames::default().log_group,
            region: None,
            class: "STANDARD".to_owned(),
            without_class: false,
            retention_days: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FilterTable {
    /// Whose pattern and names it has unless it says its own.
    pub(super) control: BenchmarkControl,
    /// In a benchmark chain: the control has no filter.
    pub(super) absent: bool,
    pub(super) name: Option<String>,
    pub(super) log_group: String,
    pub(super) region: Option<String>,
    /// The whole pattern, in place of what the next three make.
    pub(super) pattern: Option<String>,
    /// Only these events.
    pub(super) events: Option<Vec<String>>,
    /// All of the control without these.
    pub(super) except: Vec<String>,
    /// A further condition: `$.errorCode NOT EXISTS`.
    pub(super) and: Option<String>,
    pub(super) metric: Option<String>,
    pub(super) namespace: String,
    pub(super) value: String,
    pub(super) default: Option<f64>,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) unit: Option<String>,
    pub(super) on_transformed_logs: bool,
    pub(super) field_selection: Option<String>,
    pub(super) emit_dimensions: Vec<String>,
}

impl Default for FilterTable {
    fn default() -> Self {
        let names = ChainNames::default();
        Self {
            control: BenchmarkControl::default(),
            absent: false,
            name: None,
            log_group: names.log_group,
            region: None,
            pattern: None,
            events: None,
            except: Vec::new(),
            and: None,
            metric: None,
            namespace: names.namespace,
            value: "1".to_owned(),
            default: None,
            dimensions: BTreeMap::new(),
            unit: None,
            on_transformed_logs: false,
            field_selection: None,
            emit_dimensions: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlarmTable {
    /// Whose names it has unless it says its own.
    pub(super) control: BenchmarkControl,
    /// In a benchmark chain: the control has no alarm.
    pub(super) absent: bool,
    pub(super) name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) description: Option<String>,
    pub(super) metric: Option<String>,
    pub(super) namespace: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) statistic: String,
    pub(super) extended_statistic: Option<String>,
    pub(super) period: i64,
    pub(super) unit: Option<String>,
    pub(super) evaluation_periods: i64,
    pub(super) datapoints: Option<i64>,
    pub(super) threshold: f64,
    pub(super) comparison: String,
    pub(super) missing: String,
    pub(super) actions_enabled: bool,
    /// A topic of this account and the alarm's region, `topic@account`, `topic/region`,
    /// `topic@account/region`, or an ARN.
    pub(super) actions: Vec<String>,
    pub(super) ok_actions: Vec<String>,
    pub(super) insufficient_data_actions: Vec<String>,
    /// Metric math, in place of the metric. A query's `account` is a name or an id.
    pub(super) queries: Vec<MetricQuery>,
    pub(super) threshold_metric_id: Option<String>,
    pub(super) evaluation_state: Option<String>,
    pub(super) low_sample_percentile: Option<String>,
    pub(super) evaluation_window: Option<EvaluationWindow>,
    pub(super) warm_up_minutes: Option<i64>,
    pub(super) evaluation_interval: Option<i64>,
}

impl Default for AlarmTable {
    fn default() -> Self {
        let names = ChainNames::default();
        Self {
            control: BenchmarkControl::default(),
            absent: false,
            name: None,
            region: None,
            description: None,
            metric: None,
            namespace: names.namespace,
            dimensions: BTreeMap::new(),
            statistic: "Sum".to_owned(),
            extended_statistic: None,
            period: 300,
            unit: None,
            evaluation_periods: 1,
            datapoints: None,
            threshold: 1.0,
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            missing: "notBreaching".to_owned(),
            actions_enabled: true,
            actions: vec![names.topic],
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            queries: Vec::new(),
            threshold_metric_id: None,
            evaluation_state: None,
            low_sample_percentile: None,
            evaluation_window: None,
            warm_up_minutes: None,
            evaluation_interval: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CompositeAlarmTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) description: String,
    pub(super) rule: String,
    pub(super) actions_enabled: bool,
    pub(super) actions: Vec<String>,
    pub(super) ok_actions: Vec<String>,
    pub(super) insufficient_data_actions: Vec<String>,
    pub(super) suppressor: Option<String>,
}

impl Default for CompositeAlarmTable {
    fn default() -> Self {
        let names = ChainNames::default();
        Self {
            name: "organizations-changes-composite".to_owned(),
            region: None,
            description: String::new(),
            rule: format!("ALARM(\"{}\")", BenchmarkControl::default().slug()),
            actions_enabled: true,
            actions: vec![names.topic],
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            suppressor: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MuteRuleTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    /// By name.
    pub(super) alarms: Vec<String>,
    pub(super) status: MuteStatus,
    pub(super) kind: MuteKind,
}

impl Default for MuteRuleTable {
    fn default() -> Self {
        Self {
            name: "maintenance".to_owned(),
            region: None,
            alarms: vec![BenchmarkControl::default().slug().to_owned()],
            status: MuteStatus::default(),
            kind: MuteKind::default(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EventRuleTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) bus: String,
    /// The event pattern as JSON; all calls of AWS Organizations when not set.
    pub(super) pattern: Option<String>,
    /// In place of a pattern.
    pub(super) schedule: Option<String>,
    pub(super) state: String,
    pub(super) managed_by: Option<String>,
    /// Topics as an alarm's actions name them, or ARNs.
    pub(super) targets: Vec<String>,
}

impl Default for EventRuleTable {
    fn default() -> Self {
        Self {
            name: "organizations-changes".to_owned(),
            region: None,
            bus: "default".to_owned(),
            pattern: None,
            schedule: None,
            state: "ENABLED".to_owned(),
            managed_by: None,
            targets: vec![ChainNames::default().topic],
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TopicTable {
    pub(super) name: String,
    pub(super) region: Option<String>,
    pub(super) display_name: String,
    pub(super) subscriptions: Vec<SubscriptionTable>,
    /// Accounts by name or id, or `*`.
    pub(super) readable_by: Vec<String>,
    /// A kind of policy by name, or the JSON itself.
    pub(super) policy: String,
    /// The accounts that the policy speaks of; the topic's own when there are none.
    pub(super) policy_accounts: Vec<String>,
    pub(super) kms_key: Option<String>,
}

impl Default for TopicTable {
    fn default() -> Self {
        Self {
            name: ChainNames::default().topic,
            region: None,
            display_name: String::new(),
            subscriptions: vec![SubscriptionTable::default()],
            readable_by: Vec::new(),
            policy: "default".to_owned(),
            policy_accounts: Vec::new(),
            kms_key: None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SubscriptionTable {
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) state: SubscriptionState,
}

impl Default for SubscriptionTable {
    fn default() -> Self {
        Self {
            protocol: "email".to_owned(),
            endpoint: "security@example.com".to_owned(),
            state: SubscriptionState::Confirmed,
        }
    }
}
