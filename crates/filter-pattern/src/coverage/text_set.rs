//! Sets of strings, and whether some string lies in all of them.
//!
//! Each set is one reading of a comparison: a text with wildcards, or a regular expression, or
//! what is left without them. A string in all sets is looked for breadth first through the product
//! of their automata, so the one found is a shortest, and finding none proves that there is none.
//! Characters that no automaton tells apart are represented by one.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::OnceLock;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;

use super::budget::Budget;

/// The strings matched by any of `readings`, or by none of them.
#[derive(Debug, Default)]
pub(super) struct TextSet<'a> {
    pub(super) readings: Vec<Reading<'a>>,
    pub(super) complement: bool,
}

#[derive(Debug)]
pub(super) enum Reading<'a> {
    Glob(Glob),
    Regex(&'a dense::DFA<Vec<u32>>),
}

/// What a search for a common string came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Common {
    Found(String),
    Empty,
    /// The budget ran out.
    GaveUp,
}

/// A text with wildcards as an automaton over characters.
///
/// Pieces are matched one after the other, each as far left as it goes; a state is the number of
/// characters of all pieces matched so far.
#[derive(Debug)]
pub(super) struct Glob {
    pieces: Vec<Piece>,
    open_end: bool,
}

#[derive(Debug)]
struct Piece {
    characters: Vec<char>,
    /// Length of the longest border of each prefix (Knuth, Morris and Pratt), for pieces that may
    /// start anywhere; empty for one that must start here.
    borders: Vec<u32>,
    floats: bool,
    /// The state in which nothing of this piece is matched.
    base: u32,
}

/// No continuation is accepted.
const DEAD: u32 = u32::MAX;
/// Every continuation is accepted.
const ACCEPTED: u32 = u32::MAX - 1;

/// Finds a shortest string that lies in every one of `sets`.
pub(super) fn common_text(sets: &[TextSet<'_>], budget: &mut Budget) -> Common {
    let alphabet = representatives(sets);
    let automata: Vec<&Reading<'_>> = sets.iter().flat_map(|set| &set.readings).collect();
    let cost = (automata.len() + 4) * alphabet.len();
    let start: Box<[u32]> = automata.iter().map(|reading| reading.start()).collect();
    let mut states = vec![(start.clone(), usize::MAX, '\0')];
    let mut seen = HashSet::from([start]);
    let mut next = 0;
    while let Some((state, ..)) = states.get(next) {
        if !budget.spend(cost) {
            return Common::GaveUp;
        }
        if is_in_all(sets, &automata, state) {
            return Common::Found(spell(&states, next));
        }
        let state = state.clone();
        for character in &alphabet {
            let mut reached = state.clone();
            for (reading, state) in automata.iter().zip(reached.iter_mut()) {
                *state = reading.step(*state, *character);
            }
            if is_hopeless(sets, &reached) || seen.contains(&reached) {
                continue;
            }
            seen.insert(reached.clone());
            states.push((reached, next, *character));
        }
        next += 1;
    }
    Common::Empty
}

/// The characters that lead to state `index`.
fn spell(states: &[(Box<[u32]>, usize, char)], index: usize) -> String {
    let mut reversed = Vec::new();
    let mut at = index;
    while let Some((_, parent, character)) = states.get(at) {
        if *parent == usize::MAX {
            break;
        }
        reversed.push(*character);
        at = *parent;
    }
    reversed.into_iter().rev().collect()
}

fn is_in_all(sets: &[TextSet<'_>], automata: &[&Reading<'_>], state: &[u32]) -> bool {
    let mut at = 0;
    sets.iter().all(|set| {
        let range = at..at + set.readings.len();
        at = range.end;
        range
            .into_iter()
            .any(|index| automata[index].accepts(state[index]))
            != set.complement
    })
}

/// Whether no continuation can lie in every set.
fn is_hopeless(sets: &[TextSet<'_>], state: &[u32]) -> bool {
    let mut at = 0;
    sets.iter().any(|set| {
        let part = &state[at..at + set.readings.len()];
        at += set.readings.len();
        if set.complement {
            part.contains(&ACCEPTED)
        } else {
            part.iter().all(|s| *s == DEAD)
        }
    })
}

/// One character for each class that the automata of `sets` tell apart.
fn representatives(sets: &[TextSet<'_>]) -> Vec<char> {
    let readings = || sets.iter().flat_map(|set| &set.readings);
    let mut named: Vec<char> = readings()
        .filter_map(|reading| match reading {
            Reading::Glob(glob) => Some(glob.pieces.iter().flat_map(|piece| &piece.characters)),
            Reading::Regex(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    named.sort_unstable();
    named.dedup();
    let dfas: Vec<_> = readings()
        .filter_map(|reading| match reading {
            Reading::Regex(dfa) => Some(dfa),
            Reading::Glob(_) => None,
        })
        .collect();
    let mut signatures = HashSet::new();
    let preferred = ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .chain('\0'..='\x7F');
    // Expressions are ASCII; what lies beyond differs for them in its length in bytes at most.
    let beyond = ['é', '€', '😀', 'ß', '™', '🦀'];
    let mut unnamed = Vec::new();
    for character in preferred.chain(beyond) {
        if named.binary_search(&character).is_ok() {
            continue;
        }
        let mut bytes = [0; 4];
        let encoded = character.encode_utf8(&mut bytes).as_bytes();
        let mut signature: Vec<u8> = Vec::with_capacity(dfas.len() + 1);
        if !dfas.is_empty() {
            signature.push(u8::try_from(encoded.len()).unwrap_or(4));
        }
        let is_ascii = character.is_ascii();
        signature.extend(dfas.iter().map(|dfa| {
            if is_ascii {
                dfa.byte_classes().get(encoded[0])
            } else {
                0
            }
        }));
        if signatures.insert(signature) {
            unnamed.push(character);
        }
    }
    unnamed.extend(named);
    unnamed
}

// === impl TextSet ===

impl TextSet<'static> {
    /// The spellings of numbers.
    pub(super) fn numbers() -> Option<Self> {
        static NUMBERS: OnceLock<Option<dense::DFA<Vec<u32>>>> = OnceLock::new();
        let dfa = NUMBERS.get_or_init(|| {
            dense::DFA::new(r"(?-u)\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z").ok()
        });
        let readings = vec![Reading::Regex(dfa.as_ref()?)];
        Some(TextSet {
            readings,
            complement: false,
        })
    }
}

// === impl Reading ===

impl Reading<'_> {
    fn start(&self) -> u32 {
        match self {
            Reading::Glob(glob) => glob.start(),
            Reading::Regex(dfa) => {
                debug_assert!(!matches!(dfa.start_kind(), StartKind::Anchored));
                let config = start::Config::new().anchored(Anchored::No);
                dfa.start_state(&config)
                    .map_or(DEAD, |state| pack(dfa, state))
            }
        }
    }

    fn step(&self, state: u32, character: char) -> u32 {
        if state == DEAD || state == ACCEPTED {
            return state;
        }
        match self {
            Reading::Glob(glob) => glob.step(state, character),
            Reading::Regex(dfa) => {
                let mut bytes = [0; 4];
                let mut at = StateID::new_unchecked(state as usize);
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    at = dfa.next_state(at, byte);
                    let packed = pack(dfa, at);
                    if packed == DEAD || packed == ACCEPTED {
                        return packed;
                    }
                }
                pack(dfa, at)
            }
        }
    }

    fn accepts(&self, state: u32) -> bool {
        match (self, state) {
            (_, ACCEPTED) => true,
            (_, DEAD) => false,
            (Reading::Glob(glob), state) => glob.accepts(state),
            (Reading::Regex(dfa), state) => {
                let at = StateID::new_unchecked(state as usize);
                dfa.is_match_state(dfa.next_eoi_state(at))
            }
        }
    }
}

/// A search only asks whether there is a match, so one that was found stays.
fn pack(dfa: &dense::DFA<Vec<u32>>, state: StateID) -> u32 {
    if dfa.is_match_state(state) {
        ACCEPTED
    } else if dfa.is_dead_state(state) {
        DEAD
    } else {
        state.as_u32()
    }
}

// === impl Glob ===

impl Glob {
    /// The strings `core` with open ends; `*` inside stands for any run if `inner_wildcards`.
    pub(super) fn new(core: &str, open_start: bool, open_end: bool, inner_wildcards: bool) -> Self {
        let parts: Vec<&str> = if inner_wildcards {
            core.split('*').collect()
        } else {
            vec![core]
        };
        let last = parts.len() - 1;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut base = 0;
        for (index, part) in parts.into_iter().enumerate() {
            let floats = index > 0 || open_start;
            let is_free = floats && (index < last || open_end);
            if part.is_empty() && is_free {
                continue;
            }
            let characters: Vec<char> = part.chars().collect();
            let length = u32::try_from(characters.len()).unwrap_or(u32::MAX / 2);
            let borders = if floats {
                borders(&characters)
            } else {
                Vec::new()
            };
            pieces.push(Piece {
                characters,
                borders,
                floats,
                base,
            });
            base += length + 1;
        }
        Self { pieces, open_end }
    }

    /// Exactly `text`.
    pub(super) fn exact(text: &str) -> Self {
        Self::new(text, false, false, false)
    }

    fn start(&self) -> u32 {
        if self.pieces.is_empty() {
            ACCEPTED
        } else {
            self.settle(0, 0)
        }
    }

    /// The state after `matched` characters of piece `index`, passing on where it is complete.
    fn settle(&self, index: usize, matched: u32) -> u32 {
        let Some(piece) = self.pieces.get(index) else {
            return ACCEPTED;
        };
        if (matched as usize) < piece.characters.len() {
            return piece.base + matched;
        }
        let is_last = index + 1 == self.pieces.len();
        match (is_last, self.open_end) {
            (true, true) => ACCEPTED,
            (true, false) => piece.base + matched,
            (false, _) => self.settle(index + 1, 0),
        }
    }

    fn piece_at(&self, state: u32) -> usize {
        self.pieces
            .partition_point(|piece| piece.base <= state)
            .saturating_sub(1)
    }

    fn step(&self, state: u32, character: char) -> u32 {
        let index = self.piece_at(state);
        let Some(piece) = self.pieces.get(index) else {
            return DEAD;
        };
        let mut matched = state - piece.base;
        loop {
            if piece.characters.get(matched as usize) == Some(&character) {
                return self.settle(index, matched + 1);
            }
            if !piece.floats {
                return DEAD;
            }
            if matched == 0 {
                return piece.base;
            }
            matched = piece
                .borders
                .get(matched as usize - 1)
                .copied()
                .unwrap_or(0);
        }
    }

    fn accepts(&self, state: u32) -> bool {
        let index = self.piece_at(state);
        !self.open_end
            && index + 1 == self.pieces.len()
            && self
                .pieces
                .get(index)
                .is_some_and(|piece| (state - piece.base) as usize == piece.characters.len())
    }
}

fn borders(characters: &[char]) -> Vec<u32> {
    let mut borders = vec![0; characters.len()];
    let mut length = 0;
    for index in 1..characters.len() {
        while length > 0 && characters[index] != characters[length] {
            length = borders[length - 1] as usize;
        }
        if characters[index] == characters[length] {
            length += 1;
        }
        borders[index] = u32::try_from(length).unwrap_or(0);
    }
    borders
}
