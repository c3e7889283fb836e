//! The three answers: yes, no, and not known.

use std::fmt;

/// Whether a pattern matches a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// It depends on something that AWS neither documents nor was observed to do.
    Undecided(Doubt),
}

/// Something that AWS leaves unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Doubt {
    /// A `*` inside a value: documented as literal in 2021, not observed since.
    InnerWildcard,
    /// A bare `true` or `false` after `=` or `!=`: accepted, with an unknown meaning.
    BareBoolean,
    /// How a number that is compared with a string is spelled (`1.0` against `1e0`).
    NumberSpelling,
    /// A number too large for a double, compared with another spelling of itself.
    NumberPrecision,
    /// A regular expression over a number.
    RegexOverNumber,
    /// How `.`, `^`, `$` and negated classes treat line breaks and characters outside ASCII.
    RegexAlphabet,
    /// A regular expression that is too large for this crate.
    RegexSize,
    /// `!=` or `NOT EXISTS` through `[*]` or `.*`: of every element, or of some.
    NegationOverWildcard,
    /// Whether `.*` walks the elements of an array.
    MemberWildcardOverArray,
    /// `IS TRUE`, `IS FALSE` or `IS NULL` on a container with such a value somewhere inside.
    LiteralInsideContainer,
    /// A record nested deeper than this crate follows.
    RecordDepth,
    /// A record with half of a surrogate pair.
    LoneSurrogate,
    /// A quoted term of blanks, documented to match everything, where there is no such blank.
    BlankTerm,
    /// A `*` in a quoted term: literal, or a wildcard.
    TermWildcard,
    /// How AWS cuts this message into fields.
    FieldSplitting,
    /// A number in a space-delimited field: compared as number or as text.
    FieldNumber,
    /// Whether the text occurs depends on how the record was serialised.
    Serialisation,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InnerWildcard => "whether `*` inside a value is a wildcard is not known",
            Self::BareBoolean => "the meaning of a bare true or false after = or != is not known",
            Self::NumberSpelling => "how a number is spelled when compared with text is not known",
            Self::NumberPrecision => "how numbers beyond double precision compare is not known",
            Self::RegexOverNumber => "whether a regular expression applies to a number is not known",
            Self::RegexAlphabet => {
                "how a regular expression treats line breaks and non-ASCII text is not known"
            }
            Self::RegexSize => "the regular expression is too large to be analysed",
            Self::NegationOverWildcard => {
                "whether != and NOT EXISTS through a wildcard mean every or some element is not known"
            }
            Self::MemberWildcardOverArray => "whether .* walks an array is not known",
            Self::LiteralInsideContainer => {
                "whether IS looks inside an array or object this far is not known"
            }
            Self::RecordDepth => "the record is nested too deeply",
            Self::LoneSurrogate => "the record holds half of a surrogate pair",
            Self::BlankTerm => "whether a term of blanks matches a message without one is not known",
            Self::TermWildcard => "whether `*` in a term is a wildcard is not known",
            Self::FieldSplitting => "how AWS cuts this message into fields is not known",
            Self::FieldNumber => "whether the field is compared as a number is not known",
            Self::Serialisation => "it depends on how the record was serialised",
        })
    }
}

/// Three-valued truth while evaluating, ordered for Kleene's logic: `&&` is the least, `||` the
/// greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    No,
    Unsure(Doubt),
    Yes,
}

impl Outcome {
    pub(crate) fn negate(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Unsure(doubt) => Self::Unsure(doubt),
        }
    }

    /// Certain only where both readings of a pattern agree.
    pub(crate) fn agree(self, other: Self, doubt: Doubt) -> Self {
        if self == other {
            self
        } else {
            Self::Unsure(doubt)
        }
    }
}

impl From<bool> for Outcome {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

impl From<Outcome> for Match {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Yes => Self::Yes,
            Outcome::No => Self::No,
            Outcome::Unsure(doubt) => Self::Undecided(doubt),
        }
    }
}
