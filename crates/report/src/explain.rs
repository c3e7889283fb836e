//! One finding in full: the chain as a tree, link by link, with what was read of each.

use model::{ChainNode, Finding, Gap, NodeState, Verdict};
use serde_json::Value;

use crate::{
    Entry, Options, palette, text,
    text::{NAME_WIDTH, push_line, push_wrapped, sentence},
};

#[cfg(test)]
mod tests;

/// How deep a tree is indented; what a store could hold beyond that is shown at this depth.
const DEEPEST: usize = 12;

/// Renders one finding.
pub fn render(entry: &Entry, options: &Options) -> String {
    let mut out = String::new();
    let finding = &entry.finding;
    push_head(&mut out, entry, options);
    push_chain(&mut out, finding, options);
    push_gaps(&mut out, &finding.gaps, options);
    push_advice(&mut out, finding, options);
    out
}

fn push_head(out: &mut String, entry: &Entry, options: &Options) {
    let finding = &entry.finding;
    let name = match entry.account_name.as_str() {
        "" => String::new(),
        name => format!(" ({})", text::safe(name, NAME_WIDTH)),
    };
    let path = match &entry.ou_path {
        Some(path) if !path.0.is_empty() => format!(", {}", sentence(&path.to_string())),
        _ => String::new(),
    };
    let account = format!("Account {}{name}{path}", finding.account);
    push_wrapped(out, "", &account, options.width);
    let link =
        (finding.link).map_or_else(String::new, |link| format!(", at the {}", link.in_words()));
    push_line(
        out,
        &format!(
            "Control {}: {} {}{link}",
            finding.control,
            palette::verdict(finding.verdict().as_str(), finding.verdict(), options),
            finding.reason,
        ),
    );
    push_wrapped(out, "  ", &sentence(&finding.message), options.width);
    if let Some(covered_by) = &finding.covered_by {
        let whose = if covered_by.is_organization_trail {
            "the organization trail"
        } else {
            "the trail"
        };
        let text = format!(
            "Covered by {whose} {} of account {}.",
            covered_by.trail, covered_by.account
        );
        push_wrapped(out, "  ", &sentence(&text), options.width);
    }
}

fn push_chain(out: &mut String, finding: &Finding, options: &Options) {
    out.push('\n');
    push_line(out, &palette::strong("Chain", options));
    let mut is_decisive_shown = false;
    for (node, depth) in in_tree_order(&finding.chain) {
        let is_decisive = is_decisive(finding, node);
        is_decisive_shown |= is_decisive;
        push_node(out, finding, node, depth, is_decisive, options);
    }
    if finding.chain.is_empty() && finding.verdict() == Verdict::NotApplicable {
        push_line(out, "  Nothing was looked at.");
        return;
    }
    // A link that is absent has no resource and may have no node.
    if let Some(link) = finding.link.filter(|_| !is_decisive_shown) {
        let (sign, state, mark) = if finding.verdict() == Verdict::Unknown {
            ("?", NodeState::Unknown, "not known")
        } else {
            ("✘", NodeState::Broken, "missing")
        };
        let line = format!("{sign} {}: {mark} ({})", link.in_words(), finding.reason);
        push_line(out, &format!("  {}", palette::state(&line, state, options)));
        push_wrapped(
            out,
            "      ",
            &sentence(finding.reason.meaning()),
            options.width,
        );
    }
}

/// The nodes as a tree: each after the node that led to it, with its depth.
///
/// A node whose parent does not come before it is shown at the root: the order of the walk makes
/// cycles impossible, and a damaged document must not become one.
fn in_tree_order(chain: &[ChainNode]) -> Vec<(&ChainNode, usize)> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); chain.len()];
    let mut waiting: Vec<(usize, usize)> = Vec::new();
    for (index, node) in chain.iter().enumerate() {
        match node.parent.filter(|parent| *parent < index) {
            Some(parent) => children[parent].push(index),
            None => waiting.push((index, 0)),
        }
    }
    waiting.reverse();
    let mut ordered = Vec::with_capacity(chain.len());
    while let Some((index, depth)) = waiting.pop() {
        ordered.push((&chain[index], depth));
        waiting.extend((children[index].iter().rev()).map(|child| (*child, depth + 1)));
    }
    ordered
}

/// Whether this is the node that the finding speaks of.
fn is_decisive(finding: &Finding, node: &ChainNode) -> bool {
    node.state != NodeState::Holds
        && node.reason == Some(finding.reason)
        && finding.link.is_none_or(|link| link == node.link)
}

fn push_node(
    out: &mut String,
    finding: &Finding,
    node: &ChainNode,
    depth: usize,
    is_decisive: bool,
    options: &Options,
) {
    let (sign, word) = match node.state {
        NodeState::Holds => ("✔", "holds"),
        NodeState::Broken => ("✘", "broken"),
        NodeState::Unknown => ("?", "not known"),
    };
    let indent = " ".repeat(2 + 2 * depth.min(DEEPEST));
    let reason = (node.reason).map_or_else(String::new, |reason| format!(" ({reason})"));
    let head = format!("{sign} {}: {word}{reason}", node.link.in_words());
    let mark = match (is_decisive, finding.verdict()) {
        (true, Verdict::Unknown) => "  ◀ this would decide",
        (true, _) => "  ◀ here the chain breaks",
        (false, _) => "",
    };
    push_line(
        out,
        &format!(
            "{indent}{}{}",
            palette::state(&head, node.state, options),
            palette::strong(mark, options)
        ),
    );
    let under = format!("{indent}    ");
    let place = match (node.account, &node.region) {
        (Some(account), Some(region)) => format!(" in {account}, {region}"),
        (Some(account), None) => format!(" in {account}"),
        (None, Some(region)) => format!(" in {region}"),
        (None, None) => String::new(),
    };
    // An ARN says itself where it lives.
    let place = if node.resource.starts_with("arn:") {
        String::new()
    } else {
        place
    };
    if !node.resource.is_empty() {
        let resource = sentence(&format!("{}{place}", node.resource));
        push_wrapped(out, &under, &resource, options.width);
    }
    if !node.message.is_empty() {
        push_wrapped(out, &under, &sentence(&node.message), options.width);
    }
    push_read(out, &under, &node.read, options);
}

/// What was read of a node: a line for each field.
fn push_read(out: &mut String, under: &str, read: &Value, options: &Options) {
    match read {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(_, value)| !is_unset(value)) {
                let first = format!("{under}· {}: ", text::safe(name, NAME_WIDTH));
                push_wrapped(out, &first, &in_words(value), options.width);
            }
        }
        other => push_wrapped(out, &format!("{under}· "), &in_words(other), options.width),
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn in_words(value: &Value) -> String {
    let words = match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            (items.iter().map(in_words)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    sentence(&words)
}

fn push_gaps(out: &mut String, gaps: &[Gap], options: &Options) {
    if gaps.is_empty() {
        return;
    }
    out.push('\n');
    push_line(out, &palette::strong("What could not be read", options));
    for gap in gaps {
        push_wrapped(out, "  ? ", &sentence(&format!("{gap}.")), options.width);
        if !gap.sample.message.is_empty() {
            let said = format!("AWS said: {}", gap.sample.message);
            push_wrapped(out, "    ", &sentence(&said), options.width);
        }
        if let Some(id) = &gap.sample.request_id {
            push_wrapped(
                out,
                "    ",
                &format!("Request {}", sentence(id)),
                options.width,
            );
        }
    }
}

fn push_advice(out: &mut String, finding: &Finding, options: &Options) {
    if finding.advice.is_empty() {
        return;
    }
    out.push('\n');
    push_line(out, &palette::strong("Advice", options));
    for advice in &finding.advice {
        push_wrapped(out, "  - ", &sentence(&advice.message), options.width);
    }
}
