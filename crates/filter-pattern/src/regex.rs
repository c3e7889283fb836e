//! The restricted regular expressions between percent signs.
//!
//! AWS lists the characters that may stand in one, has no groups, and searches unanchored. It says
//! nothing on how `.`, `^`, `$` and negated classes treat line breaks and characters outside
//! ASCII. So each expression is compiled for a *narrow* reading, which matches only what every
//! reading matches, and *wide* readings, which together match whatever some reading does. On an
//! ordinary ASCII line they agree.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::dfa::dense;
use regex_automata::meta;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

use crate::outcome::{Doubt, Outcome};

/// Bound on the size of one compiled expression. The patterns seen in public code need a hundredth
/// of it; without one, `%.{999}.{999}…%` would take gigabytes.
const SIZE_LIMIT: usize = 1 << 17;
/// The same for an automaton without choices, which grows faster and is built only to prove
/// something about an expression. Building one of this size takes a few milliseconds.
const DFA_SIZE_LIMIT: usize = 1 << 16;

/// An expression with its compiled readings.
#[derive(Clone)]
pub(crate) struct Regex {
    source: String,
    compiled: Arc<Compiled>,
}

/// The expression translated to the syntax of `regex-automata`.
#[derive(Debug, Clone)]
struct Readings {
    narrow: String,
    /// `None` where the narrow reading is the only one.
    wide: Option<String>,
}

struct Compiled {
    readings: Readings,
    narrow: OnceLock<Option<meta::Regex>>,
    wide: OnceLock<Option<[meta::Regex; 2]>>,
    narrow_dfa: OnceLock<Option<dense::DFA<Vec<u32>>>>,
    wide_dfas: OnceLock<Option<[dense::DFA<Vec<u32>>; 2]>>,
}

/// What is wrong with an expression, at a byte of it.
#[derive(Debug)]
pub(crate) struct RegexError {
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) expected: &'static str,
    pub(crate) is_proven: bool,
}

impl Regex {
    /// Checks the text between the percent signs.
    pub(crate) fn new(source: &str) -> Result<Self, RegexError> {
        let readings = translate(source)?;
        let parsed = syntax::parse(&readings.narrow);
        if parsed.is_err() {
            return Err(RegexError {
                at: 0,
                length: source.len(),
                expected: "a well-formed regular expression",
                is_proven: true,
            });
        }
        let compiled = Compiled {
            readings,
            narrow: OnceLock::new(),
            wide: OnceLock::new(),
            narrow_dfa: OnceLock::new(),
            wide_dfas: OnceLock::new(),
        };
        Ok(Self {
            source: source.to_owned(),
            compiled: Arc::new(compiled),
        })
    }

    /// The text between the percent signs.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the expression is found in `subject`.
    pub(crate) fn matches(&self, subject: &str) -> Outcome {
        let Some(narrow) = self
            .compiled
            .narrow
            .get_or_init(|| compile(&self.compiled.readings.narrow, true))
        else {
            return Outcome::Unsure(Doubt::RegexSize);
        };
        if narrow.is_match(subject) {
            return Outcome::Yes;
        }
        let Some(wide) = &self.compiled.readings.wide else {
            return Outcome::No;
        };
        if subject
            .bytes()
            .all(|byte| byte.is_ascii() && byte != b'\n' && byte != b'\r')
        {
            return Outcome::No;
        }
        let compiled = self
            .compiled
            .wide
            .get_or_init(|| Some([compile(wide, true)?, compile(wide, false)?]));
        match compiled {
            None => Outcome::Unsure(Doubt::RegexSize),
            Some(wide) if wide.iter().any(|regex| regex.is_match(subject)) => {
                Outcome::Unsure(Doubt::RegexAlphabet)
            }
            Some(_) => Outcome::No,
        }
    }

    /// An automaton for what every reading matches, unless it is too large.
    pub(crate) fn narrow_dfa(&self) -> Option<&dense::DFA<Vec<u32>>> {
        self.compiled
            .narrow_dfa
            .get_or_init(|| determinize(&self.compiled.readings.narrow, true))
            .as_ref()
    }

    /// Automata that together accept whatever some reading matches, unless they are too large.
    pub(crate) fn wide_dfas(&self) -> Option<&[dense::DFA<Vec<u32>>]> {
        let Some(wide) = &self.compiled.readings.wide else {
            return self.narrow_dfa().map(std::slice::from_ref);
        };
        self.compiled
            .wide_dfas
            .get_or_init(|| Some([determinize(wide, true)?, determinize(wide, false)?]))
            .as_ref()
            .map(<[_; 2]>::as_slice)
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}%", self.source)
    }
}

fn compile(translated: &str, by_character: bool) -> Option<meta::Regex> {
    meta::Regex::builder()
        .configure(
            meta::Config::new()
                .utf8_empty(by_character)
                .nfa_size_limit(Some(SIZE_LIMIT))
                .onepass(false)
                .backtrack(false)
                .dfa(false),
        )
        .syntax(syntax_of(by_character))
        .build(translated)
        .ok()
}

fn determinize(translated: &str, by_character: bool) -> Option<dense::DFA<Vec<u32>>> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .dfa_size_limit(Some(DFA_SIZE_LIMIT))
                .determinize_size_limit(Some(DFA_SIZE_LIMIT)),
        )
        .syntax(syntax_of(by_character))
        .thompson(
            thompson::Config::new()
                .utf8(by_character)
                .nfa_size_limit(Some(SIZE_LIMIT)),
        )
        .build(translated)
        .ok()
}

fn syntax_of(by_character: bool) -> syntax::Config {
    syntax::Config::new()
        .unicode(by_character)
        .utf8(by_character)
}

/// Characters that AWS documents as themselves. The blank is not in its list, but live filters
/// hold one.
fn is_literal(character: char) -> bool {
    character.is_ascii_alphanumeric() || ":_#=@/;,- ".contains(character)
}

/// Checks `source` against AWS's list and writes it out for both readings.
fn translate(source: &str) -> Result<Readings, RegexError> {
    let mut writer = Translator::default();
    let mut characters = source.char_indices().peekable();
    let mut after_quantifier = false;
    if source.is_empty() {
        return Err(RegexError {
            at: 0,
            length: 0,
            expected: "an expression between the percent signs",
            is_proven: false,
        });
    }
    while let Some((at, character)) = characters.next() {
        let fail = |expected, is_proven| RegexError {
            at,
            length: character.len_utf8(),
            expected,
            is_proven,
        };
        let mut is_quantifier = false;
        match character {
            '\\' => {
                let escaped = characters.next().map(|(_, escaped)| escaped);
                writer
                    .escape(escaped, source.get(at + 2..at + 4))
                    .map_err(|expected| RegexError {
                        at,
                        length: 1 + escaped.map_or(0, char::len_utf8),
                        expected,
                        is_proven: false,
                    })?;
                if escaped == Some('x') {
                    characters.next();
                    characters.next();
                }
            }
            '[' if writer.in_class => {
                return Err(fail("no `[` inside a class unless escaped", false));
            }
            '[' => {
                let negated = characters.next_if(|(_, next)| *next == '^').is_some();
                writer.open_class(negated);
                if characters.peek().is_some_and(|(_, next)| *next == ']') {
                    return Err(fail("a class with at least one member", false));
                }
            }
            ']' if writer.in_class => writer.close_class(),
            '-' if writer.in_class && characters.peek().is_some_and(|(_, next)| *next == '-') => {
                return Err(fail("a single `-` in a class", false));
            }
            '^' if writer.in_class => writer.both("\\^"),
            '^' => writer.each("\\A", "(?m:^)"),
            '$' if !writer.in_class => writer.each("\\z", "(?m:$)"),
            '.' if !writer.in_class => writer.each("[\\x00-\\x09\\x0B\\x0C\\x0E-\\x7F]", "(?s:.)"),
            '*' | '+' | '?' | '{' if !writer.in_class => {
                if after_quantifier && character != '?' {
                    return Err(fail("one quantifier after an element", false));
                }
                is_quantifier = true;
                writer.raw(character);
                if character == '{' {
                    for (_, inner) in characters.by_ref() {
                        writer.raw(inner);
                        if inner == '}' {
                            break;
                        }
                        if !inner.is_ascii_digit() && inner != ',' {
                            return Err(fail("`{count}`, `{least,}` or `{least,most}`", false));
                        }
                    }
                }
            }
            '|' => writer.both(if writer.in_class { "\\|" } else { "|" }),
            ']' | '}' | '*' | '+' | '?' | '{' | '$' | '.' => writer.escaped(character),
            literal if is_literal(literal) => writer.raw(literal),
            '(' | ')' => return Err(fail("no parentheses: AWS has no groups", true)),
            other if !other.is_ascii() => return Err(fail("ASCII characters only", true)),
            _ => {
                return Err(fail(
                    "a supported character, or a backslash before it",
                    true,
                ));
            }
        }
        after_quantifier = is_quantifier;
    }
    Ok(writer.finish())
}

#[derive(Default)]
struct Translator {
    narrow: String,
    wide: String,
    differs: bool,
    in_class: bool,
    /// The class being read is negated; it needs a closing of its own in the narrow reading.
    negated_class: bool,
}

impl Translator {
    fn both(&mut self, text: &str) {
        self.narrow.push_str(text);
        self.wide.push_str(text);
    }

    fn raw(&mut self, character: char) {
        self.narrow.push(character);
        self.wide.push(character);
    }

    fn escaped(&mut self, character: char) {
        self.both("\\");
        self.raw(character);
    }

    fn each(&mut self, narrow: &str, wide: &str) {
        self.narrow.push_str(narrow);
        self.wide.push_str(wide);
        self.differs = true;
    }

    fn open_class(&mut self, negated: bool) {
        self.in_class = true;
        self.negated_class = negated;
        if negated {
            // Intersection with plain ASCII: what every reading agrees a negated class matches.
            self.each("[[\\x00-\\x09\\x0B\\x0C\\x0E-\\x7F]&&[^", "[^");
        } else {
            self.both("[");
        }
    }

    fn close_class(&mut self) {
        self.in_class = false;
        if self.negated_class {
            self.narrow.push_str("]]");
            self.wide.push(']');
        } else {
            self.both("]");
        }
    }

    fn escape(&mut self, escaped: Option<char>, hex: Option<&str>) -> Result<(), &'static str> {
        // In a negated class, wide must exclude as little and narrow as much as any reading does.
        let negate = self.in_class && self.negated_class;
        match escaped {
            Some('d') => self.both("0-9".in_brackets(self.in_class).as_str()),
            Some('w') => self.both("0-9A-Za-z_".in_brackets(self.in_class).as_str()),
            Some('s') => self.both(
                "\\t\\n\\x0B\\x0C\\r\\x20"
                    .in_brackets(self.in_class)
                    .as_str(),
            ),
            Some(class @ ('D' | 'W' | 'S')) => {
                if negate {
                    return Err("no negated escape inside a negated class");
                }
                let members = match class {
                    'D' => "0-9",
                    'W' => "0-9A-Za-z_",
                    _ => "\\t\\n\\x0B\\x0C\\r\\x20",
                };
                let narrow = format!("[[\\x00-\\x09\\x0B\\x0C\\x0E-\\x7F]&&[^{members}]]");
                self.each(&narrow, &format!("[^{members}]"));
            }
            Some('x') => match hex.map(|hex| u8::from_str_radix(hex, 16)) {
                Some(Ok(byte)) if byte.is_ascii() => self.both(&format!("\\x{byte:02X}")),
                _ => return Err("two hexadecimal digits of an ASCII character after `\\x`"),
            },
            Some(symbol) if symbol.is_ascii_punctuation() => {
                if is_literal(symbol) && symbol != '-' && symbol != '#' {
                    self.raw(symbol);
                } else {
                    self.both(&format!("\\x{:02X}", u32::from(symbol)));
                }
            }
            _ => return Err("`\\d`, `\\s`, `\\w`, their negations, `\\xhh` or an escaped symbol"),
        }
        Ok(())
    }

    fn finish(self) -> Readings {
        Readings {
            narrow: self.narrow,
            wide: self.differs.then_some(self.wide),
        }
    }
}

trait InBrackets {
    fn in_brackets(self, already: bool) -> String;
}

impl InBrackets for &str {
    /// A list of class members as a class of its own, unless it stands in one.
    fn in_brackets(self, already: bool) -> String {
        if already {
            self.to_owned()
        } else {
            format!("[{self}]")
        }
    }
}
