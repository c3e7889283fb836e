//! Records as JSON: built from chosen fields, made as small as can be, and explained.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use crate::ast::Segment;
use crate::coverage::claim::FieldValue;
use crate::coverage::fields::{FieldNode, Fields};

/// The longest array built for the sake of an index. `$.a[4000000000]` is a valid selector.
const MAX_ELEMENTS: usize = 256;

/// The record that `fields` describe; `None` if it would be too large.
pub(crate) fn record(fields: &Fields<'_>) -> Option<Json> {
    let root = &fields.nodes[0];
    object(fields, root)
}

fn value(fields: &Fields<'_>, node: &FieldNode<'_>) -> Option<Json> {
    Some(match &node.value {
        FieldValue::Nothing | FieldValue::Null => Json::Null,
        FieldValue::Bool(value) => Json::Bool(*value),
        FieldValue::Number(spelled) => serde_json::from_str(spelled).ok()?,
        FieldValue::Text(text) => Json::String(text.clone()),
        FieldValue::Container => {
            let is_array = present(fields, node)
                .any(|child| matches!(child.segment, Segment::Index(_)))
                || present(fields, node).any(|child| child.segment == Segment::AnyElement)
                    && !present(fields, node)
                        .any(|child| matches!(child.segment, Segment::Member(_)));
            if is_array {
                array(fields, node)?
            } else {
                object(fields, node)?
            }
        }
    })
}

fn present<'f>(
    fields: &'f Fields<'f>,
    node: &'f FieldNode<'f>,
) -> impl Iterator<Item = &'f FieldNode<'f>> {
    node.children
        .iter()
        .map(|child| &fields.nodes[*child])
        .filter(|child| child.value != FieldValue::Nothing)
}

fn object(fields: &Fields<'_>, node: &FieldNode<'_>) -> Option<Json> {
    let mut members = Map::new();
    for child in present(fields, node) {
        let name = match &child.segment {
            Segment::Member(name) if !name.starts_with('\0') => name.clone(),
            _ => unused_name(fields, node, &members),
        };
        members.insert(name, value(fields, child)?);
    }
    Some(Json::Object(members))
}

/// A name that no pattern mentions, for a member that stands for any.
fn unused_name(fields: &Fields<'_>, node: &FieldNode<'_>, taken: &Map<String, Json>) -> String {
    let mut name = "detail".to_owned();
    let is_mentioned = |name: &str| {
        node.children.iter().any(
            |child| matches!(&fields.nodes[*child].segment, Segment::Member(own) if own == name),
        )
    };
    while taken.contains_key(&name) || is_mentioned(&name) {
        name.push('s');
    }
    name
}

fn array(fields: &Fields<'_>, node: &FieldNode<'_>) -> Option<Json> {
    let mut elements = Vec::new();
    let mut others = Vec::new();
    for child in present(fields, node) {
        match child.segment {
            Segment::Index(index) if index < MAX_ELEMENTS => {
                if elements.len() <= index {
                    // An empty object in the gaps matches neither `=` nor `!=`.
                    elements.resize(index + 1, Json::Object(Map::new()));
                }
                elements[index] = value(fields, child)?;
            }
            Segment::Index(_) => return None,
            _ => others.push(value(fields, child)?),
        }
    }
    elements.append(&mut others);
    Some(Json::Array(elements))
}

/// Takes away members of `record`, outermost first, as long as it stays as `is_good` says, until
/// none can be left out. Members at dotted paths that begin one of `kept` are not tried. Each round
/// but the last takes away one member at least.
pub(crate) fn shrink(record: &mut Json, kept: &[&str], is_good: &dyn Fn(&Json) -> bool) {
    while shrink_at(record, &mut Vec::new(), kept, is_good) {}
}

/// Whether a member was taken away.
fn shrink_at(
    record: &mut Json,
    path: &mut Vec<String>,
    kept: &[&str],
    is_good: &dyn Fn(&Json) -> bool,
) -> bool {
    let Some(Json::Object(members)) = at(record, path) else {
        return false;
    };
    let names: Vec<String> = members.keys().cloned().collect();
    let mut has_shrunk = false;
    for name in names {
        path.push(name);
        if !begins_any(path, kept) && without(record, path, is_good) {
            has_shrunk = true;
        } else {
            has_shrunk |= shrink_at(record, path, kept, is_good);
        }
        path.pop();
    }
    has_shrunk
}

/// Takes away the member at `path`, unless the record would no longer be good.
fn without(record: &mut Json, path: &[String], is_good: &dyn Fn(&Json) -> bool) -> bool {
    let Some((name, parent)) = path.split_last() else {
        return false;
    };
    let Some(Json::Object(members)) = at(record, parent) else {
        return false;
    };
    let Some(removed) = members.remove(name) else {
        return false;
    };
    if is_good(record) {
        return true;
    }
    if let Some(Json::Object(members)) = at(record, parent) {
        members.insert(name.clone(), removed);
    }
    false
}

/// Whether one of `kept` is `path`, or the path of something inside.
fn begins_any(path: &[String], kept: &[&str]) -> bool {
    kept.iter().any(|kept| {
        let mut names = kept.split('.');
        path.iter().all(|name| names.next() == Some(name))
    })
}

fn at<'r>(record: &'r mut Json, path: &[String]) -> Option<&'r mut Json> {
    path.iter()
        .try_fold(record, |value, name| value.get_mut(name))
}

/// Bytes of one of several patterns.
pub(crate) type Part = (usize, Range<usize>);
