//! The fields of a record that is being looked for, and what each must be.
//!
//! The paths that patterns and requirement mention form a tree. A record under construction gives
//! each node one value, such that a node with a member is a container and a member of what is not
//! there is not there either. Facts about different branches are independent, so a value is found
//! branch by branch.

use super::budget::Budget;
use super::claim::{Claim, FieldValue, Mode};
use super::text_set::{Common, TextSet, common_text};
use crate::ast::{Operand, Segment, Test};
use crate::evaluate::{EXACT, Held};

/// What a field that nothing is known about may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freedom {
    /// It may be absent or hold any string. This is what coverage is proved for.
    Strings,
    /// It may hold anything. This is how records are that nobody described.
    Anything,
}

#[derive(Debug)]
pub(crate) struct FieldNode<'a> {
    pub(crate) segment: Segment,
    pub(crate) children: Vec<usize>,
    parent: usize,
    /// What the value must be: a claim, and whether it must hold.
    must: Vec<(Claim<'a>, bool)>,
    pub(crate) value: FieldValue,
    draft: FieldValue,
    /// Some claim is about this node, so it is more than the prefix of others.
    is_mentioned: bool,
    /// The value is a string in any case.
    is_text: bool,
}

#[derive(Debug)]
pub(crate) struct Fields<'a> {
    /// The first is the record itself.
    pub(crate) nodes: Vec<FieldNode<'a>>,
    mode: Mode,
    freedom: Freedom,
    /// Some search was broken off, so "there is no such value" is not proved.
    pub(super) gave_up: bool,
}

/// Readable values to try before any search, most natural first.
const FILLERS: [&str; 4] = ["example", "x", "0", ""];

impl<'a> Fields<'a> {
    pub(super) fn new(mode: Mode, freedom: Freedom) -> Self {
        let root = FieldNode::new(Segment::Member(String::new()), 0);
        Self {
            nodes: vec![root],
            mode,
            freedom,
            gave_up: false,
        }
    }

    /// The node at `segments`, added if need be.
    pub(super) fn node<'s>(&mut self, segments: impl IntoIterator<Item = &'s Segment>) -> usize {
        let mut at = 0;
        for segment in segments {
            at = self.child(at, segment);
        }
        self.nodes[at].is_mentioned = true;
        at
    }

    fn child(&mut self, at: usize, segment: &Segment) -> usize {
        // What `some element` may be is chosen for each comparison on its own: elements differ.
        let is_shared = self.freedom == Freedom::Strings
            || !matches!(segment, Segment::AnyElement | Segment::AnyMember);
        let mut children = self.nodes[at].children.iter();
        let found = children.find(|child| self.nodes[**child].segment == *segment);
        if let (Some(found), true) = (found, is_shared) {
            return *found;
        }
        let index = self.nodes.len();
        self.nodes.push(FieldNode::new(segment.clone(), at));
        self.nodes[at].children.push(index);
        index
    }

    /// Fixes that the value of `node` is a string.
    pub(super) fn require_text(&mut self, node: usize) {
        self.nodes[node].is_text = true;
    }

    /// Adds that `claim` about `node` must hold or not, choosing other values where needed.
    /// Without a value that fits, nothing is added.
    pub(super) fn add(
        &mut self,
        node: usize,
        claim: Claim<'a>,
        wanted: bool,
        budget: &mut Budget,
    ) -> bool {
        let already = self.nodes[node].is_settled()
            && claim.holds(&self.nodes[node].value, self.mode) == wanted;
        self.nodes[node].must.push((claim, wanted));
        if already || self.settle_branch(node, budget) {
            return true;
        }
        self.nodes[node].must.pop();
        false
    }

    /// Takes back what was added last to `node`.
    pub(super) fn retract(&mut self, node: usize) {
        self.nodes[node].must.pop();
    }

    /// Chooses values for all nodes, as few present as can be.
    pub(super) fn settle_all(&mut self, budget: &mut Budget) -> bool {
        let branches = self.nodes[0].children.clone();
        branches
            .into_iter()
            .all(|branch| self.settle_and_keep(branch, budget))
    }

    pub(super) fn holds(&self, node: usize, claim: Claim<'_>) -> bool {
        claim.holds(&self.nodes[node].value, self.mode)
    }

    fn settle_branch(&mut self, node: usize, budget: &mut Budget) -> bool {
        let mut branch = node;
        while self.nodes[branch].parent != 0 {
            branch = self.nodes[branch].parent;
        }
        self.settle_and_keep(branch, budget)
    }

    fn settle_and_keep(&mut self, branch: usize, budget: &mut Budget) -> bool {
        let fits = self.settle(branch, budget);
        if fits {
            self.keep(branch);
        }
        fits
    }

    fn keep(&mut self, node: usize) {
        self.nodes[node].value = std::mem::take(&mut self.nodes[node].draft);
        for child in self.nodes[node].children.clone() {
            self.keep(child);
        }
    }

    /// Drafts values for `node` and what is below it.
    fn settle(&mut self, node: usize, budget: &mut Budget) -> bool {
        if !budget.spend(4) {
            self.gave_up = true;
            return false;
        }
        if self.can_vanish(node) {
            self.vanish(node);
            return true;
        }
        if self.allows(node, &FieldValue::Container) {
            let children = self.nodes[node].children.clone();
            for elements in [false, true] {
                if self.settle_children(&children, elements, budget) {
                    self.nodes[node].draft = FieldValue::Container;
                    return true;
                }
            }
        }
        if !self.children_can_vanish(node) {
            return false;
        }
        let Some(scalar) = self.scalar(node, budget) else {
            return false;
        };
        self.vanish(node);
        self.nodes[node].draft = scalar;
        true
    }

    /// Drafts the members of an object, or the elements of an array.
    fn settle_children(&mut self, children: &[usize], elements: bool, budget: &mut Budget) -> bool {
        children.iter().all(|child| {
            let belongs = match self.nodes[*child].segment {
                Segment::Member(_) => !elements,
                Segment::Index(_) => elements,
                Segment::AnyElement | Segment::AnyMember => true,
            };
            if belongs {
                self.settle(*child, budget)
            } else {
                let vanishes = self.can_vanish(*child);
                if vanishes {
                    self.vanish(*child);
                }
                vanishes
            }
        })
    }

    fn can_vanish(&self, node: usize) -> bool {
        self.allows(node, &FieldValue::Nothing) && self.children_can_vanish(node)
    }

    fn children_can_vanish(&self, node: usize) -> bool {
        self.nodes[node]
            .children
            .iter()
            .all(|child| self.can_vanish(*child))
    }

    fn vanish(&mut self, node: usize) {
        self.nodes[node].draft = FieldValue::Nothing;
        for child in self.nodes[node].children.clone() {
            self.vanish(child);
        }
    }

    /// Whether `value` is of a kind that the node may have, and as it must be.
    fn allows(&self, node: usize, value: &FieldValue) -> bool {
        let field = &self.nodes[node];
        let is_described = field
            .must
            .iter()
            .any(|(claim, wanted)| *wanted && claim.is_constraint());
        let is_possible = match value {
            FieldValue::Nothing => !field.is_text,
            FieldValue::Text(_) => field.is_mentioned,
            FieldValue::Container => {
                !field.is_text
                    && (is_described
                        || !field.children.is_empty()
                        || self.freedom == Freedom::Anything)
            }
            _ => !field.is_text && (is_described || self.freedom == Freedom::Anything),
        };
        is_possible && field.admits(value, self.mode)
    }

    /// A string, boolean, null or number that the node may hold.
    fn scalar(&mut self, node: usize, budget: &mut Budget) -> Option<FieldValue> {
        if let Some(text) = self.text(node, budget) {
            return Some(FieldValue::Text(text));
        }
        let literals = [
            FieldValue::Bool(false),
            FieldValue::Bool(true),
            FieldValue::Null,
        ]
        .into_iter();
        let numbers = self.nodes[node].numbers();
        let scalar = literals
            .chain(numbers.into_iter().map(FieldValue::Number))
            .find(|value| self.allows(node, value));
        if scalar.is_none() && self.freedom == Freedom::Anything {
            self.gave_up |= self.nodes[node].may_be_other_number(self.mode, budget);
        }
        scalar
    }

    fn text(&mut self, node: usize, budget: &mut Budget) -> Option<String> {
        let field = &self.nodes[node];
        if !field.is_mentioned {
            return None;
        }
        if let FieldValue::Text(text) = &field.value
            && field.admits_text(text, self.mode)
        {
            return Some(text.clone());
        }
        // Where the string must equal one of a few, there are no others to look for.
        let finite = field
            .must
            .iter()
            .find_map(|(claim, wanted)| claim.only(*wanted));
        if let Some(finite) = finite {
            let found = finite
                .into_iter()
                .find(|text| budget.spend(field.must.len()) && field.admits_text(text, self.mode))
                .map(str::to_owned);
            self.gave_up |= budget.is_spent();
            return found;
        }
        let guesses = field.must.iter().filter_map(|(claim, _)| claim.guess());
        for guess in FILLERS.into_iter().chain(guesses) {
            if budget.spend(field.must.len()) && field.admits_text(guess, self.mode) {
                return Some(guess.to_owned());
            }
        }
        let sets: Option<Vec<TextSet<'_>>> = field
            .must
            .iter()
            .map(|(claim, wanted)| claim.texts(*wanted, self.mode))
            .collect();
        match sets.map(|sets| common_text(&sets, budget)) {
            Some(Common::Found(text)) => Some(text),
            Some(Common::Empty) => None,
            Some(Common::GaveUp) | None => {
                self.gave_up = true;
                None
            }
        }
    }
}

// === impl FieldNode ===

impl FieldNode<'_> {
    fn new(segment: Segment, parent: usize) -> Self {
        Self {
            segment,
            children: Vec::new(),
            parent,
            must: Vec::new(),
            value: FieldValue::Nothing,
            draft: FieldValue::Nothing,
            is_mentioned: false,
            is_text: false,
        }
    }

    /// Whether the current value was chosen with regard to what it must be; `Nothing` is where
    /// every node starts.
    fn is_settled(&self) -> bool {
        !self.is_text || matches!(self.value, FieldValue::Text(_))
    }

    fn admits(&self, value: &FieldValue, mode: Mode) -> bool {
        self.must
            .iter()
            .all(|(claim, wanted)| claim.holds(value, mode) == *wanted)
    }

    fn admits_text(&self, text: &str, mode: Mode) -> bool {
        self.must
            .iter()
            .all(|(claim, wanted)| claim.holds_for(Held::Text(text), mode) == *wanted)
    }

    /// Numbers on, between and beyond those it is compared with.
    fn numbers(&self) -> Vec<String> {
        let mut bounds: Vec<f64> = Vec::new();
        let mut spelled = Vec::new();
        for (claim, _) in &self.must {
            match claim {
                Claim::Test {
                    test: Test::Compare(_, Operand::Number(number)),
                    ..
                } => {
                    bounds.push(number.value);
                    spelled.push(number.text.clone());
                }
                Claim::Test {
                    test: Test::Compare(_, Operand::Text(text)),
                    ..
                } => {
                    spelled.push(text.core().to_owned());
                }
                _ => {}
            }
        }
        bounds.sort_by(f64::total_cmp);
        let mut candidates: Vec<f64> = vec![1.0];
        candidates.extend(bounds.first().map(|least| least - 1.0));
        candidates.extend(bounds.windows(2).map(|pair| pair[0].midpoint(pair[1])));
        candidates.extend(bounds.last().map(|most| most + 1.0));
        candidates.extend(&bounds);
        let is_json = |text: &String| serde_json::from_str::<serde_json::Number>(text).is_ok();
        spelled.retain(is_json);
        spelled.extend(
            candidates
                .into_iter()
                .map(|number| number.to_string())
                .filter(is_json),
        );
        spelled
    }

    /// Whether the value may be a number that [`FieldNode::numbers`] does not think of: one of a
    /// certain spelling and size, or one that doubles cannot tell from its neighbours.
    fn may_be_other_number(&self, mode: Mode, budget: &mut Budget) -> bool {
        let operands = || {
            self.must.iter().filter_map(|(claim, _)| match claim {
                Claim::Test {
                    test: Test::Compare(_, operand),
                    ..
                } => Some(operand),
                _ => None,
            })
        };
        let is_large = |operand: &Operand| match operand {
            Operand::Number(number) => number.value.abs() >= EXACT,
            _ => false,
        };
        if operands().any(is_large) {
            return true;
        }
        // What compares with text only treats a number as its spelling, which was tried as a string.
        if !operands().any(|operand| matches!(operand, Operand::Number(_))) {
            return false;
        }
        // Whether any number at all is spelled as the comparisons with text want it.
        let is_textual = |claim: &Claim<'_>| match claim {
            Claim::Test {
                test: Test::Compare(_, operand),
                ..
            } => !matches!(operand, Operand::Number(_)),
            _ => false,
        };
        let fits_otherwise = self
            .numbers()
            .into_iter()
            .map(FieldValue::Number)
            .any(|number| {
                self.must.iter().all(|(claim, wanted)| {
                    is_textual(claim) || claim.holds(&number, mode) == *wanted
                })
            });
        if !fits_otherwise {
            return false;
        }
        let mut sets: Vec<TextSet<'_>> = Vec::new();
        for (claim, wanted) in &self.must {
            if is_textual(claim) {
                match claim.texts(*wanted, mode) {
                    Some(set) => sets.push(set),
                    None => return true,
                }
            }
        }
        let Some(numbers) = TextSet::numbers() else {
            return true;
        };
        if sets.is_empty() {
            return false;
        }
        sets.push(numbers);
        common_text(&sets, budget) != Common::Empty
    }
}
