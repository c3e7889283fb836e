//! The report as JSON: `schema_version` 1, described in the README.
//!
//! Fields may be added within a version; none is renamed, removed or given another meaning.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, Write},
};

use jiff::Timestamp;
use model::{
    AccountId, Advice, Arn, ChainNode, DiscoveryState, Finding, Gap, GapClass, Link, NearMiss,
    NodeState, Reason, Region, SweepId, SweepScope, SweepState, Verdict,
};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

use crate::{Entry, PastFinding, PastSweep, Report, SweepLine, exceptions::ExceptionShape, text};

#[cfg(test)]
mod tests;

pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Writes a report, a finding at a time as they come.
pub fn write(
    report: &Report,
    entries: impl Iterator<Item = Entry>,
    out: impl Write,
) -> io::Result<()> {
    write_document(
        &ReportShape {
            schema_version: SCHEMA_VERSION,
            sweep: SweepShape {
                notices: Some(&report.notices),
                ..SweepShape::of(&report.sweep, report.verdicts.clone())
            },
            organization: (report.organization.as_ref()).map(|organization| OrganizationShape {
                id: &organization.id,
                management_account_id: organization.management_account_id,
                verdict: organization.verdict,
            }),
            findings: Once::of(entries.map(EntryShape)),
        },
        out,
    )
}

/// Writes the list of past sweeps.
pub fn write_sweeps(sweeps: &[PastSweep], out: impl Write) -> io::Result<()> {
    write_document(
        &SweepsShape {
            schema_version: SCHEMA_VERSION,
            sweeps: Lazily(|| {
                sweeps.iter().map(|past| SweepShape {
                    accounts_seen: Some(past.accounts_seen),
                    ..SweepShape::of(&past.sweep, past.verdicts.clone())
                })
            }),
        },
        out,
    )
}

/// The list of past sweeps as text.
pub fn render_sweeps(sweeps: &[PastSweep]) -> String {
    rendered(|out| write_sweeps(sweeps, out))
}

/// Writes a list of findings from the history.
pub fn write_findings(findings: &[PastFinding], out: impl Write) -> io::Result<()> {
    write_document(
        &FindingsShape {
            schema_version: SCHEMA_VERSION,
            findings: Lazily(|| {
                findings.iter().map(|past| PastFindingShape {
                    finding: FindingShape::of(&past.entry),
                    since_sweep: past.since_sweep,
                    since: past.since,
                    until_sweep: past.until_sweep,
                })
            }),
        },
        out,
    )
}

/// A list of findings from the history as text.
pub fn render_findings(findings: &[PastFinding]) -> String {
    rendered(|out| write_findings(findings, out))
}

pub(crate) fn rendered(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    let written = write(&mut out);
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    String::from_utf8_lossy(&out).into_owned()
}

pub(crate) fn write_document(document: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(
        &mut out,
        Harmless::default(),
    ))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct ReportShape<'a, F> {
    schema_version: u32,
    sweep: SweepShape<'a>,
    organization: Option<OrganizationShape<'a>>,
    findings: F,
}

#[derive(Serialize)]
struct SweepsShape<F> {
    schema_version: u32,
    sweeps: F,
}

#[derive(Serialize)]
struct FindingsShape<F> {
    schema_version: u32,
    findings: F,
}

#[derive(Serialize)]
struct SweepShape<'a> {
    id: Option<SweepId>,
    state: SweepState,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    scope: &'a SweepScope,
    discovery: Option<DiscoveryShape<'a>>,
    api_calls: Option<u64>,
    scanner_version: &'a str,
    verdicts: BTreeMap<Verdict, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts_seen: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<&'a [String]>,
}

impl<'a> SweepShape<'a> {
    fn of(sweep: &'a SweepLine, mut verdicts: BTreeMap<Verdict, u64>) -> Self {
        for verdict in Verdict::ALL {
            verdicts.entry(verdict).or_default();
        }
        Self {
            id: sweep.id,
            state: sweep.state,
            started_at: sweep.started_at,
            finished_at: sweep.finished_at,
            scope: &sweep.scope,
            discovery: sweep.discovery.as_ref().map(DiscoveryShape::of),
            api_calls: sweep.api_calls,
            scanner_version: &sweep.scanner_version,
            verdicts,
            accounts_seen: None,
            notices: None,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum DiscoveryShape<'a> {
    Complete,
    Incomplete { gap: GapShape<'a> },
    NotAsked,
}

impl<'a> DiscoveryShape<'a> {
    fn of(discovery: &'a DiscoveryState) -> Self {
        match discovery {
            DiscoveryState::Complete => Self::Complete,
            DiscoveryState::Incomplete { gap } => Self::Incomplete {
                gap: GapShape::of(gap),
            },
            DiscoveryState::NotAsked => Self::NotAsked,
        }
    }
}

#[derive(Serialize)]
struct OrganizationShape<'a> {
    id: &'a str,
    management_account_id: AccountId,
    verdict: Verdict,
}

#[derive(Serialize)]
struct PastFindingShape<'a> {
    #[serde(flatten)]
    finding: FindingShape<'a>,
    since_sweep: SweepId,
    since: Timestamp,
    until_sweep: Option<SweepId>,
}

#[derive(Serialize)]
struct FindingShape<'a> {
    account_id: AccountId,
    account_name: &'a str,
    control_id: &'a str,
    verdict: Verdict,
    reason: Reason,
    link: Option<Link>,
    message: &'a str,
    next_step: Option<&'static str>,
    covered_by: Option<CoveredByShape<'a>>,
    advice: &'a [Advice],
    exception: Option<ExceptionShape<'a>>,
    gaps: Vec<GapShape<'a>>,
    near_misses: &'a [NearMiss],
    chain: Vec<NodeShape<'a>>,
}

impl<'a> FindingShape<'a> {
    fn of(entry: &'a Entry) -> Self {
        let finding: &Finding = &entry.finding;
        Self {
            account_id: finding.account,
            account_name: &entry.account.name,
            control_id: finding.control.as_str(),
            verdict: finding.verdict(),
            reason: finding.reason,
            link: finding.link,
            message: &finding.message,
            next_step: finding.next_step(),
            covered_by: (finding.covered_by.as_ref()).map(|covered_by| CoveredByShape {
                trail_arn: &covered_by.trail,
                account_id: covered_by.account,
                is_organization_trail: covered_by.is_organization_trail,
            }),
            advice: &finding.advice,
            exception: entry.exception.as_deref().map(ExceptionShape::of),
            gaps: finding.gaps.iter().map(GapShape::of).collect(),
            near_misses: &finding.near_misses,
            chain: finding.chain.iter().map(NodeShape::of).collect(),
        }
    }
}

struct EntryShape(Entry);

impl Serialize for EntryShape {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FindingShape::of(&self.0).serialize(serializer)
    }
}

#[derive(Serialize)]
struct CoveredByShape<'a> {
    trail_arn: &'a Arn,
    account_id: AccountId,
    is_organization_trail: bool,
}

#[derive(Serialize)]
struct GapShape<'a> {
    class: GapClass,
    api: &'a str,
    resource: Option<&'a str>,
    account: Option<AccountId>,
    region: Option<&'a Region>,
    message: &'a str,
    request_id: Option<&'a str>,
}

impl<'a> GapShape<'a> {
    fn of(gap: &'a Gap) -> Self {
        Self {
            class: gap.class,
            api: &gap.api,
            resource: gap.resource.as_deref(),
            account: gap.account,
            region: gap.region.as_ref(),
            message: &gap.sample.message,
            request_id: gap.sample.request_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct NodeShape<'a> {
    link: Link,
    parent: Option<usize>,
    arn: Option<&'a str>,
    resource: &'a str,
    account: Option<AccountId>,
    region: Option<&'a Region>,
    state: NodeState,
    reason: Option<Reason>,
    message: &'a str,
    read: &'a serde_json::Value,
}

impl<'a> NodeShape<'a> {
    fn of(node: &'a ChainNode) -> Self {
        let is_arn = node.resource.parse::<Arn>().is_ok();
        Self {
            link: node.link,
            parent: node.parent,
            arn: is_arn.then_some(node.resource.as_str()),
            resource: &node.resource,
            account: node.account,
            region: node.region.as_ref(),
            state: node.state,
            reason: node.reason,
            message: &node.message,
            read: &node.read,
        }
    }
}

/// A list whose items are made while it is written, so that a large report is never there twice.
struct Lazily<F>(F);

impl<F, I> Serialize for Lazily<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

/// A list whose items come while it is written, and only then.
struct Once<I>(Cell<Option<I>>);

impl<I> Once<I> {
    fn of(items: I) -> Self {
        Self(Cell::new(Some(items)))
    }
}

impl<I: Iterator<Item: Serialize>> Serialize for Once<I> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.take().into_iter().flatten())
    }
}

/// Indented JSON in which hostile characters stand as `\u` escapes: the same value to a parser,
/// harmless on a terminal.
#[derive(Default)]
struct Harmless(PrettyFormatter<'static>);

impl Formatter for Harmless {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, hostile)) = rest.char_indices().find(|(_, c)| text::is_hostile(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in hostile.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + hostile.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        char_escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(writer, char_escape)
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}
