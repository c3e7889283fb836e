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
    AccountId, Advice, Arn, AuthorOutcome, ChainNode, ControlId, CoveredBy, DiscoveryState,
    DriftId, DriftKind, Finding, Gap, GapClass, Link, NearMiss, NodeState, Reason, Region,
    Severity, SweepId, SweepPair, SweepScope, SweepState, Verdict,
};
use serde::{Serialize, ser::SerializeMap as _};
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

use crate::{
    AsOfLine, Difference, Entry, PastDrift, Report, SweepLine,
    drifts::{self, DriftEntry},
    exceptions::ExceptionShape,
    text,
};

mod lists;
mod page;

use lists::AsOfShape;
pub use lists::Listed;
pub use page::{compact, one, page};

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
            drifts: Once::of(
                drifts::gravest_first(&report.drifts)
                    .into_iter()
                    .map(DriftEntryShape::of),
            ),
            findings: Once::of(entries.map(EntryShape)),
        },
        out,
    )
}

/// Writes a list from the history, an item at a time as they come.
pub fn write_list<T: Listed>(
    as_of: Option<&AsOfLine>,
    items: impl Iterator<Item = T>,
    out: impl Write,
) -> io::Result<()> {
    let head = [("as_of", as_of.map(AsOfShape::of))];
    write_document(
        &ListShape {
            head,
            items: Cell::new(Some(items)),
        },
        out,
    )
}

/// Writes what is not the same at two moments.
pub fn write_differences(
    [from, to]: [&AsOfLine; 2],
    items: impl Iterator<Item = Difference>,
    out: impl Write,
) -> io::Result<()> {
    let head = [
        ("from", Some(AsOfShape::of(from))),
        ("to", Some(AsOfShape::of(to))),
    ];
    write_document(
        &ListShape {
            head,
            items: Cell::new(Some(items)),
        },
        out,
    )
}

pub(crate) fn rendered(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    let written = write(&mut out);
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes one drift.
pub fn write_drift(drift: &PastDrift, out: impl Write) -> io::Result<()> {
    write_document(
        &OneDriftShape {
            schema_version: SCHEMA_VERSION,
            drift: drift.shape(),
        },
        out,
    )
}

pub(crate) fn write_document(document: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(
        &mut out,
        Harmless(PrettyFormatter::new()),
    ))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct ReportShape<'a, D, F> {
    schema_version: u32,
    sweep: SweepShape<'a>,
    organization: Option<OrganizationShape<'a>>,
    drifts: D,
    findings: F,
}

#[derive(Serialize)]
struct DriftEntryShape<'a> {
    ids: &'a [DriftId],
    kind: DriftKind,
    severity: Severity,
    is_flapping: bool,
    account_ids: &'a [AccountId],
    control_id: Option<&'a ControlId>,
    cause: &'a str,
    message: &'a str,
    between: SweepPair,
    author: Option<&'a AuthorOutcome>,
}

impl<'a> DriftEntryShape<'a> {
    fn of(entry: &'a DriftEntry) -> Self {
        let drift = &entry.drift;
        Self {
            ids: &entry.ids,
            kind: drift.kind,
            severity: drift.severity,
            is_flapping: drift.is_flapping(),
            account_ids: if drift.accounts.is_empty() {
                drift.account.as_slice()
            } else {
                &drift.accounts
            },
            control_id: drift.control.as_ref(),
            cause: &drift.cause,
            message: &drift.message,
            between: drift.between,
            author: entry.author.as_ref(),
        }
    }
}

#[derive(Serialize)]
struct OneDriftShape<D> {
    schema_version: u32,
    drift: D,
}

/// The moments that a list is of, and its items, which come while it is written.
struct ListShape<I, const MOMENTS: usize> {
    head: [(&'static str, Option<AsOfShape>); MOMENTS],
    items: Cell<Option<I>>,
}

impl<T: Listed, I: Iterator<Item = T>, const MOMENTS: usize> Serialize for ListShape<I, MOMENTS> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(Some(2 + MOMENTS))?;
        document.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        for (name, moment) in &self.head {
            document.serialize_entry(name, moment)?;
        }
        let items = self.items.take().into_iter().flatten();
        document.serialize_entry(T::LIST, &Once::of(items.map(ItemShape)))?;
        document.end()
    }
}

struct ItemShape<T>(T);

impl<T: Listed> Serialize for ItemShape<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.shape().serialize(serializer)
    }
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
    fn of(sweep: &'a SweepLine, verdicts: BTreeMap<Verdict, u64>) -> Self {
        Self {
            id: sweep.id,
            state: sweep.state,
            started_at: sweep.started_at,
            finished_at: sweep.finished_at,
            scope: &sweep.scope,
            discovery: sweep.discovery.as_ref().map(DiscoveryShape::of),
            api_calls: sweep.api_calls,
            scanner_version: &sweep.scanner_version,
            verdicts: counted(verdicts),
            accounts_seen: None,
            notices: None,
        }
    }
}

/// With a zero for each verdict that none has.
fn counted(mut verdicts: BTreeMap<Verdict, u64>) -> BTreeMap<Verdict, u64> {
    for verdict in Verdict::ALL {
        verdicts.entry(verdict).or_default();
    }
    verdicts
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
    #[serde(skip_serializing_if = "Option::is_none")]
    near_misses: Option<&'a [NearMiss]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<Vec<NodeShape<'a>>>,
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
            covered_by: finding.covered_by.as_ref().map(CoveredByShape::of),
            advice: &finding.advice,
            exception: entry.exception.as_deref().map(ExceptionShape::of),
            gaps: finding.gaps.iter().map(GapShape::of).collect(),
            near_misses: Some(&finding.near_misses),
            chain: Some(finding.chain.iter().map(NodeShape::of).collect()),
        }
    }

    /// Without the chain and what points into it.
    fn brief(entry: &'a Entry) -> Self {
        Self {
            near_misses: None,
            chain: None,
            ..Self::of(entry)
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

impl<'a> CoveredByShape<'a> {
    fn of(covered_by: &'a CoveredBy) -> Self {
        Self {
            trail_arn: &covered_by.trail,
            account_id: covered_by.account,
            is_organization_trail: covered_by.is_organization_trail,
        }
    }
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

/// JSON in which hostile characters stand as `\u` escapes: the same value to a parser, harmless on a
/// terminal.
pub(crate) struct Harmless<F>(pub(crate) F);

impl<F: Formatter> Formatter for Harmless<F> {
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
