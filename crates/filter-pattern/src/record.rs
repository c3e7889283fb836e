//! Reads a log message as a JSON record.
//!
//! A reader of our own, because the spelling of a number decides whether it equals a string
//! (`"1"` equals `1` and not `1.0`), which a parsed number has lost, and because of two keys of
//! the same name AWS takes the last.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// How deep a record may nest: a bound on our recursion, far above CloudTrail's.
const MAX_DEPTH: usize = 128;

/// A value of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// As spelled.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Why a message is not a record to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// It is not JSON.
    NotJson,
    /// It nests too deeply for us.
    TooDeep,
    /// It is JSON, with half of a surrogate pair, which no Rust string can hold.
    LoneSurrogate,
}

impl<'a> Value<'a> {
    pub(crate) fn read(message: &'a str) -> Result<Value<'a>, NoRecord> {
        let mut reader = Reader {
            text: message,
            at: 0,
            lone_surrogate: false,
        };
        reader.skip_blanks();
        let value = reader.value(0)?;
        reader.skip_blanks();
        if reader.at < message.len() {
            return Err(NoRecord::NotJson);
        }
        if reader.lone_surrogate {
            Err(NoRecord::LoneSurrogate)
        } else {
            Ok(value)
        }
    }

    /// The member called `name`; of several, the last.
    pub(crate) fn member(&self, name: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(members) => members
                .iter()
                .rev()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    lone_surrogate: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, NoRecord> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(NoRecord::NotJson)
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, NoRecord> {
        if depth > MAX_DEPTH {
            return Err(NoRecord::TooDeep);
        }
        match self.peek() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(NoRecord::NotJson),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, NoRecord> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.eat(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.skip_blanks();
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.eat(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.eat(b',') {
                return Err(NoRecord::NotJson);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, NoRecord> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_blanks();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(NoRecord::NotJson);
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.eat(b':') {
                return Err(NoRecord::NotJson);
            }
            self.skip_blanks();
            members.push((key, self.value(depth + 1)?));
            self.skip_blanks();
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err(NoRecord::NotJson);
            }
        }
    }

    fn digits(&mut self) -> Result<(), NoRecord> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(NoRecord::NotJson)
        }
    }

    fn number(&mut self) -> Result<Value<'a>, NoRecord> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, NoRecord> {
        self.at += 1;
        let start = self.at;
        let mut piece = start;
        let mut decoded = String::new();
        loop {
            match self.peek() {
                None | Some(0..=0x1F) => return Err(NoRecord::NotJson),
                Some(b'"') => {
                    let last = &self.text[piece..self.at];
                    self.at += 1;
                    if piece == start {
                        return Ok(Cow::Borrowed(last));
                    }
                    decoded.push_str(last);
                    return Ok(Cow::Owned(decoded));
                }
                Some(b'\\') => {
                    decoded.push_str(&self.text[piece..self.at]);
                    self.at += 1;
                    decoded.push(self.escape()?);
                    piece = self.at;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, NoRecord> {
        let kind = self.peek();
        self.at += 1;
        Ok(match kind {
            Some(symbol @ (b'"' | b'\\' | b'/')) => char::from(symbol),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.unicode_escape()?,
            _ => return Err(NoRecord::NotJson),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, NoRecord> {
        let first = self.four_digits()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let before = self.at;
        if first < 0xDC00 && self.eat(b'\\') && self.eat(b'u') {
            let second = self.four_digits()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).ok_or(NoRecord::NotJson);
            }
        }
        self.at = before;
        self.lone_surrogate = true;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Result<u32, NoRecord> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at..self.at + 4)
            .ok_or(NoRecord::NotJson)?;
        let mut code = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16).ok_or(NoRecord::NotJson)?;
            code = code * 16 + value;
        }
        self.at += 4;
        Ok(code)
    }
}
