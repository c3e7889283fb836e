//! Settings: a flag beats the environment (`SCANNER_*`), which beats the file, which beats the
//! default.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use aws::{AwsSettings, RoleSettings, Timing};
use clap::Args;
use controls::{Catalog, Control};
use daemon::{Regions, SweepPlan, session_apis};
use discovery::{ReadTags, Selection, Selector, Source};
use model::{AccountId, Exception, ExceptionScope, Region};

use crate::{
    config_file::{
        Account, AccountDeadline, Concurrency, ConfigFile, ExceptionTable, ExternalId, NameGlob,
        Ou, QuotaShare, RegionList, RoleName, SessionDuration, SessionName, Tag,
    },
    exit::{BadInput, FailOn},
    output::{Destination, Format},
};

mod alerts;

pub(crate) use alerts::{Alerting, alerting};
pub(crate) mod serve;

/// Where history is kept unless something else is said.
pub(crate) const DEFAULT_STORE: &str = "scanner.db";
pub(crate) const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";
pub(crate) const DEFAULT_QUOTA_SHARE: f64 = 0.5;
pub(crate) const DEFAULT_CONCURRENCY: usize = 64;
const DEFAULT_SESSION_SECONDS: i32 = 3600;
/// A complete chain takes a second or two, a throttled account with thousands of alarms a minute.
pub(crate) const DEFAULT_ACCOUNT_DEADLINE: u64 = 300;

/// Where the store and the configuration are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct FileOptions {
    /// The configuration file.
    #[arg(long, value_name = "PATH", env = "SCANNER_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The store: an SQLite file, made if it is not there [default: scanner.db].
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE")]
    pub(crate) store: Option<PathBuf>,
}

/// How the report looks and what makes it a failure.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct ReportOptions {
    /// The form of the report [default: table].
    #[arg(long, value_enum, env = "SCANNER_FORMAT")]
    pub(crate) format: Option<Format>,
    /// Write the report to a file instead of standard output.
    #[arg(long, value_name = "PATH", env = "SCANNER_OUTPUT")]
    pub(crate) output: Option<PathBuf>,
    /// Which verdicts make the exit code one of failure [default: fail,unknown].
    #[arg(long, value_enum, env = "SCANNER_FAIL_ON")]
    pub(crate) fail_on: Option<FailOn>,
    /// List every account in the table, not only what is wrong.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Which accounts, regions and controls.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeOptions {
    /// Look at this account; may be given several times.
    #[arg(
        long = "account",
        value_name = "ID",
        env = "SCANNER_ACCOUNT",
        value_delimiter = ','
    )]
    accounts: Vec<Account>,
    /// Look at accounts in this OU or root and below.
    #[arg(
        long = "ou",
        value_name = "ID",
        env = "SCANNER_OU",
        value_delimiter = ','
    )]
    ous: Vec<Ou>,
    /// Look at accounts whose name fits this glob.
    #[arg(
        long = "name",
        value_name = "GLOB",
        env = "SCANNER_NAME",
        value_delimiter = ','
    )]
    names: Vec<NameGlob>,
    /// Look at accounts that carry this tag.
    #[arg(
        long = "tag",
        value_name = "KEY=VALUE",
        env = "SCANNER_TAG",
        value_delimiter = ','
    )]
    tags: Vec<Tag>,
    /// Leave out what this fits: an account id, an OU, tag:KEY=VALUE, or a glob over names.
    #[arg(
        long,
        value_name = "SELECTOR",
        env = "SCANNER_EXCLUDE",
        value_delimiter = ','
    )]
    exclude: Vec<Selector>,
    /// Read the tags of every account in scope and remember them: a call for each. Otherwise only tags that
    /// decide what is in scope are read.
    #[arg(long, env = "SCANNER_READ_TAGS")]
    read_tags: bool,
    /// Do not ask AWS Organizations: look at the given accounts, or at the one of the credentials.
    #[arg(long, env = "SCANNER_NO_ORGANIZATION")]
    no_organization: bool,
    /// Ask each of these regions for trails, or `all` that are enabled. One region shows every
    /// multi-region trail; more regions show single-region trails too.
    #[arg(long, value_name = "all|LIST", env = "SCANNER_REGIONS")]
    regions: Option<RegionList>,
    /// The regions to ask for trails, in this order until one answers.
    #[arg(
        long,
        value_name = "LIST",
        env = "SCANNER_PROBE_REGIONS",
        value_delimiter = ',',
        conflicts_with = "regions"
    )]
    probe_regions: Vec<Region>,
    /// An account whose alarms may watch the metrics of other accounts; may be given several times.
    #[arg(
        long = "monitoring-account",
        value_name = "ID",
        env = "SCANNER_MONITORING_ACCOUNT",
        value_delimiter = ','
    )]
    monitoring_accounts: Vec<AccountId>,
    /// Judge by this control: a slug, 4.15, 5.15@v6.0, lacework-global-66 [default: all].
    #[arg(
        long = "control",
        value_name = "ID",
        env = "SCANNER_CONTROL",
        value_delimiter = ','
    )]
    controls: Vec<String>,
}

/// How AWS is reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct AwsOptions {
    /// The role to assume in each account, with its path if it has one
    /// [default: OrganizationAccountAccessRole].
    #[arg(long, value_name = "NAME", env = "SCANNER_ROLE_NAME")]
    role_name: Option<RoleName>,
    /// Another role for one account; for the account of the credentials too.
    #[arg(long = "role-for", value_name = "ACCOUNT=NAME", env = "SCANNER_ROLE_FOR", value_delimiter = ',', value_parser = role_for)]
    roles_for: Vec<(AccountId, RoleName)>,
    /// The external id that the roles ask for.
    #[arg(long, value_name = "ID", env = "SCANNER_EXTERNAL_ID")]
    external_id: Option<ExternalId>,
    /// The source identity to set, for roles that ask for one.
    #[arg(long, value_name = "NAME", env = "SCANNER_SOURCE_IDENTITY")]
    source_identity: Option<SessionName>,
    /// What CloudTrail shows this scanner as: scanner-NAME [default: the host's name].
    #[arg(long, value_name = "NAME", env = "SCANNER_INSTANCE")]
    instance: Option<SessionName>,
    /// How long a role's credentials last, 15m to 12h; where AWS refuses more than an hour, an hour
    /// [default: 1h].
    #[arg(long, value_name = "DURATION", env = "SCANNER_SESSION_DURATION")]
    session_duration: Option<SessionDuration>,
    /// The AWS profile to take credentials from.
    #[arg(long, value_name = "NAME", env = "SCANNER_PROFILE")]
    profile: Option<String>,
    /// The share of each account's API quotas that may be used [default: 0.5].
    #[arg(long, value_name = "SHARE", env = "SCANNER_QUOTA_SHARE")]
    quota_share: Option<QuotaShare>,
    /// How many accounts are looked at at the same time [default: 64].
    #[arg(long, value_name = "NUMBER", env = "SCANNER_CONCURRENCY")]
    concurrency: Option<Concurrency>,
    /// How long an account may take; one that takes longer is looked at again at the end of the
    /// sweep, and then is UNKNOWN [default: 300].
    #[arg(long, value_name = "SECONDS", env = "SCANNER_ACCOUNT_DEADLINE")]
    account_deadline: Option<AccountDeadline>,
}

impl AwsOptions {
    /// Defaults, whatever the environment says.
    pub(crate) fn with_concurrency(concurrency: Option<Concurrency>) -> Self {
        Self {
            concurrency,
            ..Self::default()
        }
    }
}

fn role_for(text: &str) -> Result<(AccountId, RoleName), String> {
    let (account, role) = text.split_once('=').ok_or("expected ACCOUNT=ROLE")?;
    let account = account
        .parse::<AccountId>()
        .map_err(|error| error.to_string())?;
    Ok((account, role.parse()?))
}

/// Everything that a sweep needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) store: PathBuf,
    pub(crate) aws: AwsSettings,
    pub(crate) plan: SweepPlan,
    pub(crate) report: ReportSettings,
    /// How long to look for who caused drifts after the sweep.
    pub(crate) author_wait: Duration,
}

/// How to report.
#[derive(Debug)]
pub(crate) struct ReportSettings {
    pub(crate) format: Format,
    pub(crate) destination: Destination,
    pub(crate) fail_on: FailOn,
    pub(crate) all: bool,
}

/// Reads the file, if one is named, and lays environment and flags over it.
pub(crate) fn resolve(
    files: FileOptions,
    report: ReportOptions,
    scope: ScopeOptions,
    aws: AwsOptions,
    default_fail_on: FailOn,
) -> anyhow::Result<Settings> {
    let file = files.config.as_deref().map(ConfigFile::read);
    let file = file.transpose()?.unwrap_or_default();
    lay_over(file, files, report, scope, aws, default_fail_on)
}

/// Lays environment and flags over what the file says.
fn lay_over(
    file: ConfigFile,
    files: FileOptions,
    report: ReportOptions,
    scope: ScopeOptions,
    aws: AwsOptions,
    default_fail_on: FailOn,
) -> anyhow::Result<Settings> {
    let pace = Pace {
        concurrency: aws.concurrency.or(file.aws.concurrency),
        account_deadline: aws.account_deadline.or(file.aws.account_deadline),
    };
    let mut plan = plan(scope, file.scope, &pace)?;
    if files.config.is_some() {
        plan.exceptions = Some(exceptions(&file.exception)?);
    }
    let role = file.role;
    let text = |flag: Option<SessionName>,
                file: Option<crate::config_file::FromText<SessionName>>| {
        flag.or(file.map(|name| name.0)).map(|name| name.0)
    };
    let mut overrides: std::collections::BTreeMap<AccountId, String> = role
        .overrides
        .into_iter()
        .map(|(account, name)| (account, name.0.0))
        .collect();
    overrides.extend(
        aws.roles_for
            .into_iter()
            .map(|(account, name)| (account, name.0)),
    );
    let instance = text(aws.instance, role.instance).unwrap_or_else(host_name);
    let settings = AwsSettings {
        role: RoleSettings {
            role_name: aws
                .role_name
                .or(role.name.map(|name| name.0))
                .map_or_else(|| DEFAULT_ROLE.to_owned(), |name| name.0),
            overrides,
            external_id: aws
                .external_id
                .or(role.external_id.map(|id| id.0))
                .map(|id| id.0),
            session_name: format!("scanner-{instance}"),
            source_identity: text(aws.source_identity, role.source_identity),
            session_seconds: aws
                .session_duration
                .or(role.session_duration.map(|duration| duration.0))
                .map_or(DEFAULT_SESSION_SECONDS, |duration| duration.0),
        },
        session_apis: session_apis(&plan.regions),
        quota_share: (aws.quota_share.or(file.aws.quota_share))
            .map_or(DEFAULT_QUOTA_SHARE, |share| share.0),
        timing: Timing::default(),
        profile: aws.profile.or(file.aws.profile),
        // Jitter needs to differ between processes, not to be secret.
        seed: u64::from(std::process::id()),
        simulator: None,
    };
    Ok(Settings {
        store: files
            .store
            .or(file.store.path)
            .unwrap_or_else(|| DEFAULT_STORE.into()),
        aws: settings,
        plan,
        report: ReportSettings {
            format: report.format.or(file.report.format).unwrap_or_default(),
            destination: Destination::new(report.output.or(file.report.output))?,
            fail_on: report
                .fail_on
                .or(file.report.fail_on)
                .unwrap_or(default_fail_on),
            all: report.all,
        },
        author_wait: Duration::ZERO,
    })
}

/// How many accounts at once, and for how long.
struct Pace {
    concurrency: Option<Concurrency>,
    account_deadline: Option<AccountDeadline>,
}

fn plan(
    flags: ScopeOptions,
    file: crate::config_file::ScopeSection,
    pace: &Pace,
) -> anyhow::Result<SweepPlan> {
    // A list that is given by flag or environment replaces the one of the file.
    fn either<T>(flags: Vec<T>, file: Vec<T>) -> Vec<T> {
        if flags.is_empty() { file } else { flags }
    }
    let accounts = flags
        .accounts
        .into_iter()
        .map(|account| account.0)
        .collect();
    let mut include = either(
        accounts,
        file.accounts.into_iter().map(Selector::Account).collect(),
    );
    include.extend(
        either(flags.ous, file.ous.into_iter().map(|ou| ou.0).collect())
            .into_iter()
            .map(|ou| ou.0),
    );
    include.extend(
        either(
            flags.names,
            file.names.into_iter().map(|name| name.0).collect(),
        )
        .into_iter()
        .map(|n| n.0),
    );
    include.extend(
        either(flags.tags, file.tags.into_iter().map(|tag| tag.0).collect())
            .into_iter()
            .map(|tag| tag.0),
    );
    let exclude = either(
        flags.exclude,
        file.exclude
            .into_iter()
            .map(|selector| selector.0)
            .collect(),
    );

    let probe = either(flags.probe_regions, file.probe_regions);
    let regions = match flags.regions.or(file.regions) {
        Some(RegionList::All) => Regions::All,
        Some(RegionList::Each(regions)) => Regions::Each(regions),
        None if probe.is_empty() => Regions::Probe,
        None => Regions::ProbeIn(probe),
    };
    let use_organization = !flags.no_organization && file.organization.unwrap_or(true);
    Ok(SweepPlan {
        source: if use_organization {
            Source::Organization
        } else {
            Source::NamedAccounts
        },
        selection: Selection {
            include,
            exclude,
            only: Vec::new(),
        },
        regions,
        monitoring_accounts: either(flags.monitoring_accounts, file.monitoring_accounts),
        read_tags: if flags.read_tags || file.read_tags.unwrap_or_default() {
            ReadTags::OfAllInScope
        } else {
            ReadTags::WhereTheyDecide
        },
        controls: controls(&either(
            flags.controls,
            (file.controls.iter())
                .map(|control| control.0.0.to_string())
                .collect(),
        ))?,
        exceptions: None,
        accounts_at_once: (pace.concurrency).map_or(DEFAULT_CONCURRENCY, |number| number.0),
        account_deadline: Duration::from_secs(
            (pace.account_deadline).map_or(DEFAULT_ACCOUNT_DEADLINE, |seconds| seconds.0),
        ),
        resume_within: None,
        scanner_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The exceptions of the configuration. One that has expired is kept: its end is told by a sweep.
fn exceptions(tables: &[ExceptionTable]) -> anyhow::Result<Vec<Exception>> {
    let exceptions: Vec<Exception> = tables.iter().map(ExceptionTable::exception).collect();
    if let Some(wide) = (exceptions.iter()).find(|it| it.scope == ExceptionScope::default()) {
        return Err(BadInput::of(format!(
            "configuration: the exception of {} would accept every finding\n  help: say which with account, ou, control or reason_code",
            wide.owner.escape_debug()
        )));
    }
    Ok(exceptions)
}

/// The controls of these names, or all of them.
pub(crate) fn controls(names: &[String]) -> anyhow::Result<Vec<Control>> {
    let catalog = Catalog::embedded()?;
    if names.is_empty() {
        return Ok(catalog.controls().cloned().collect());
    }
    let mut seen = BTreeSet::new();
    let found = names.iter().map(|name| catalog.find(name).cloned());
    let mut found = found.collect::<Result<Vec<_>, _>>().map_err(BadInput::of)?;
    found.retain(|control| seen.insert(control.id.clone()));
    Ok(found)
}

/// The host's name as far as STS takes it in a session name.
fn host_name() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let fits = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
    let name: String = name.chars().filter(fits).take(56).collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

/// Refuses `SCANNER_*` variables that nothing reads: a slip would silently change nothing.
pub(crate) fn check_environment(command: &clap::Command) -> anyhow::Result<()> {
    fn collect(command: &clap::Command, known: &mut BTreeSet<String>) {
        known.extend(
            command
                .get_arguments()
                .filter_map(|a| a.get_env())
                .map(|env| env.to_string_lossy().into_owned()),
        );
        for sub in command.get_subcommands() {
            collect(sub, known);
        }
    }
    let mut known = BTreeSet::new();
    collect(command, &mut known);
    let given = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut unknown: Vec<_> = given
        .filter(|name| name.starts_with("SCANNER_") && !known.contains(name))
        .collect();
    unknown.sort();
    match unknown.first() {
        None => Ok(()),
        Some(name) => {
            let known: Vec<_> = known.into_iter().collect();
            Err(BadInput::of(format!(
                "the environment variable `{}` is not known; known are: {}",
                name.escape_debug(),
                known.join(", ")
            )))
        }
    }
}
