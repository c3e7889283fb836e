//! One finding in full: the chain as a tree, link by link, with what was read of each.

use model::{ChainNode, Finding, Gap, Link, NodeState, Verdict};
use serde_json::Value;

use crate::{
    Entry, Options, palette,
    table::accepted_until,
    text,
    text::{NAME_WIDTH, push_line, push_wrapped, sentence},
};

#[cfg(test)]
mod tests;

/// The widest value that is shown whole: the longest filter pattern that AWS takes, and its name.
const VALUE_WIDTH: usize = 1200;

/// How deep a tree is indented; what a store could hold beyond that is shown at this depth.
const DEEPEST: usize = 12;

/// Renders one finding.
pub fn render(entry: &Entry, options: &Options) -> String {
    let mut out = String::new();
    let finding = &entry.finding;
    push_head(&mut out, entry, options);
    push_chain(&mut out, finding, options);
    push_near_misses(&mut out, finding, options);
    push_gaps(&mut out, &finding.gaps, options);
    push_advice(&mut out, finding, options);
    out
}

fn push_head(out: &mut String, entry: &Entry, options: &Options) {
    let finding = &entry.finding;
    let name = match entry.account.name.as_str() {
        "" => String::new(),
        name => format!(" ({})", text::safe(name, NAME_WIDTH)),
    };
    let path = match &entry.account.ou_path {
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
    if let Some(exception) = &entry.exception {
        let accepted = accepted_until(exception);
        push_wrapped(
            out,
            "  ",
            &format!("{accepted}: {}", sentence(&exception.reason)),
            options.width,
        );
    }
    if let Some(step) = finding.next_step() {
        push_wrapped(out, "Next: ", step, options.width);
    }
}

fn push_chain(out: &mut String, finding: &Finding, options: &Options) {
    out.push('\n');
    push_line(out, &palette::strong("Chain", options));
    if finding.chain.is_empty() && finding.verdict() == Verdict::NotApplicable {
        push_line(out, "  Nothing was looked at.");
        return;
    }
    let decisive = decisive_node(finding);
    // What is absent has no node of its own: a line stands where it would be.
    let absent = finding.link.filter(|_| decisive.is_none());
    let gap_below = finding.node.filter(|node| *node < finding.chain.len());
    for (index, depth) in in_tree_order(&finding.chain) {
        let node = &finding.chain[index];
        push_node(out, finding, node, depth, decisive == Some(index), options);
        if let Some(link) = absent.filter(|_| gap_below == Some(index)) {
            push_absent(out, finding, link, depth + 1, options);
        }
    }
    if let Some(link) = absent.filter(|_| gap_below.is_none()) {
        push_absent(out, finding, link, 0, options);
    }
}

/// The node that the finding speaks of, unless it speaks of something that is absent below it.
fn decisive_node(finding: &Finding) -> Option<usize> {
    finding.node.filter(|index| {
        finding.chain.get(*index).is_some_and(|node| {
            node.state != NodeState::Holds && node.reason == Some(finding.reason)
        })
    })
}

fn push_absent(out: &mut String, finding: &Finding, link: Link, depth: usize, options: &Options) {
    let state = if finding.verdict() == Verdict::Unknown {
        NodeState::Unknown
    } else {
        NodeState::Broken
    };
    let node = ChainNode {
        link,
        parent: None,
        resource: String::new(),
        account: None,
        region: None,
        state,
        reason: Some(finding.reason),
        message: finding.message.clone(),
        read: Value::Null,
    };
    push_node(out, finding, &node, depth, true, options);
}

/// The nodes as a tree: each after the node that led to it, with its depth.
///
/// A node whose parent does not come before it is shown at the root: the order of the walk makes
/// cycles impossible, and a damaged document must not become one.
fn in_tree_order(chain: &[ChainNode]) -> Vec<(usize, usize)> {
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
        ordered.push((index, depth));
        waiting.extend((children[index].iter().rev()).map(|child| (*child, depth + 1)));
    }
    ordered
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
    push_read(out, &under, &node.resource, &node.read, options);
}

/// What was read of a node: a line for each field.
fn push_read(out: &mut String, under: &str, resource: &str, read: &Value, options: &Options) {
    match read {
        Value::Null => {}
        Value::Object(fields) => {
            // What stands at the head of the node is not said again.
            let told = |value: &Value| is_unset(value) || value.as_str() == Some(resource);
            for (name, value) in fields.iter().filter(|(_, value)| !told(value)) {
                let first = format!("{under}· {}: ", text::safe(name, NAME_WIDTH));
                push_wrapped(
                    out,
                    &first,
                    &text::safe(&in_words(value), VALUE_WIDTH),
                    options.width,
                );
            }
        }
        other => push_wrapped(
            out,
            &format!("{under}· "),
            &text::safe(&in_words(other), VALUE_WIDTH),
            options.width,
        ),
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

/// A value for a human. What could not be read says so; its gap is told below the chain.
fn in_words(value: &Value) -> String {
    fn inner(value: &Value) -> String {
        match value {
            Value::Object(_) => format!("{{{}}}", in_words(value)),
            other => in_words(other),
        }
    }
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text::safe(text, VALUE_WIDTH),
        Value::Array(items) => (items.iter().filter(|item| !is_unset(item)))
            .map(inner)
            .collect::<Vec<_>>()
            .join(", "),
        Value::Object(fields) => match (fields.get("Ok"), fields.get("Err")) {
            (Some(read), _) => in_words(read),
            (None, Some(_)) => "could not be read".to_owned(),
            (None, None) => (fields.iter())
                .filter(|(_, value)| !is_unset(value))
                .map(|(name, value)| format!("{}: {}", text::safe(name, NAME_WIDTH), inner(value)))
                .collect::<Vec<_>>()
                .join(", "),
        },
    }
}

fn push_near_misses(out: &mut String, finding: &Finding, options: &Options) {
    if finding.near_misses.is_empty() {
        return;
    }
    out.push('\n');
    push_line(
        out,
        &palette::strong("Near misses, the nearest first", options),
    );
    for miss in &finding.near_misses {
        let name = text::safe(&miss.filter, NAME_WIDTH);
        let lacks = sentence(&miss.lacks.join("; "));
        push_wrapped(
            out,
            "  - ",
            &format!("the filter `{name}` would do, but {lacks}"),
            options.width,
        );
    }
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
