//! What parses and what does not, one case a line.

use crate::{Certainty, ErrorKind, FilterPattern};

/// The canonical form of what is accepted.
fn canonical(text: &str) -> String {
    match FilterPattern::parse(text) {
        Ok(pattern) => {
            let canonical = pattern.to_string();
            assert_eq!(
                FilterPattern::parse(&canonical).as_ref(),
                Ok(&pattern),
                "{canonical}"
            );
            canonical
        }
        Err(error) => panic!("{}", error.render()),
    }
}

/// What is refused: the kind of error, and the text it points at.
fn refused(text: &str) -> (ErrorKind, &str) {
    let error = FilterPattern::parse(text).expect_err(text);
    assert_eq!(error.certainty(), Certainty::Refused, "{}", error.render());
    assert_eq!(error.pattern(), text);
    (error.kind(), &text[error.span()])
}

fn unproven(text: &str) -> (ErrorKind, &str) {
    let error = FilterPattern::parse(text).expect_err(text);
    assert_eq!(error.certainty(), Certainty::Unproven, "{}", error.render());
    (error.kind(), &text[error.span()])
}

macro_rules! cases {
    ($($name:ident by $check:ident { $($text:expr => $expected:expr;)* })*) => {$(
        #[test]
        fn $name() {
            $(assert_eq!($check($text), $expected, "{}", $text);)*
        }
    )*};
}

use ErrorKind::{
    DuplicateField, Field, Keyword, Operator, OrderingNeedsNumber, Quote, RegexCount, Selector,
    SelectorWildcards, Term, TooDeep, TooLong, TrailingText, Unclosed, Value, WildcardSelectors,
};

cases! {
    spelling_without_meaning_is_dropped by canonical {
        "{$.a=b}" => r#"{ $.a = "b" }"#;
        "{\n\t$.a\r\n=\n\"b\"\n}" => r#"{ $.a = "b" }"#;
        "  {$.a=1}\n" => "{ $.a = 1 }";
        "{ (($.a = 1) && ($.b = 2)) && ($.c = 3) }" => "{ $.a = 1 && $.b = 2 && $.c = 3 }";
        "{ $.a = 1 || ($.b = 2 && $.c = 3) }" => "{ $.a = 1 || $.b = 2 && $.c = 3 }";
        "{ ($.a = 1 || $.b = 2) && $.c = 3 }" => "{ ($.a = 1 || $.b = 2) && $.c = 3 }";
        "{ $.['a'].[\"b.c\"][0].d[*] = 1 }" => "{ $.a.['b.c'][0].d[*] = 1 }";
        "{ $.a = %b+% }" => "{ $.a = %b+% }";
        "{ $.a IS  NULL || $.b NOT\nEXISTS }" => "{ $.a IS NULL || $.b NOT EXISTS }";
        r#"{ $.a = "say \"hi\" \\o/" }"# => r#"{ $.a = "say \"hi\" \\o/" }"#;
        "{ $.a = +1e-3 && $.b != -0.5 }" => "{ $.a = +1e-3 && $.b != -0.5 }";
        "{ $.a = 10.0.* || $.b = 10.0.0.1 }" => r#"{ $.a = "10.0.*" || $.b = "10.0.0.1" }"#;
        "{ $.a = true }" => "{ $.a = true }";
        "[a,b=1]" => "[a, b = 1]";
        "[ ..., c=x||c=y ]" => r#"[..., c = "x" || c = "y"]"#;
        " ERROR   -\"time out\" ?x" => "ERROR -\"time out\" ?x";
        "%a b/c%" => "%a b/c%";
        "" => "";
    }
    what_aws_refuses_is_refused by refused {
        "{ $.a == 1 }" => (Operator, "==");
        "{ $.a =~ b }" => (Operator, "=~");
        "{ !($.a = 1) }" => (Selector, "!");
        "{ $.a = 1 AND $.b = 2 }" => (Operator, "AND");
        "{ ($.a = 1) OR ($.b = 2) }" => (Operator, "OR");
        "{ $.a EXISTS }" => (Keyword, "EXISTS");
        "{ $.a IS NOT NULL }" => (Keyword, "NOT");
        "{ $.a > \"z\" }" => (OrderingNeedsNumber, "\"z\"");
        "{ $.a >= 5* }" => (OrderingNeedsNumber, "5*");
        "{ $.a = %(b|c)% }" => (ErrorKind::Regex, "(");
        "{ $.a = %b!% }" => (ErrorKind::Regex, "!");
        "{ $.a = %bé% }" => (ErrorKind::Regex, "é");
        "{ $.a = %b }" => (ErrorKind::Regex, "%b }");
        "{ $.a = %a% || $.b = %b% || $.c = %c% }" => (RegexCount, "%c%");
        "{ $.a[*].b[*] = 1 }" => (SelectorWildcards, "$.a[*].b[*]");
        "{ $.a.* = 1 || $.b[*] = 1 || $.c.* = 1 || $.d[*] = 1 }" => (WildcardSelectors, "$.d[*]");
        "{ $..a = 1 }" => (Selector, ".");
        "{ $. a = 1 }" => (Selector, " ");
        "{ $.a[-1] = 1 }" => (Selector, "[-");
        "{ $.a[0:1] = 1 }" => (Selector, "[0:");
        "{ a = 1 }" => (Selector, "a");
        "{ $.a = 'b' }" => (Value, "'");
        "{ $.a = b:c }" => (Value, ":");
        "{ $.a = b c }" => (Operator, "c");
        "{ $.a = b\" }" => (Value, "\"");
        "{ $.a = \"b }" => (Quote, "\"b }");
        "{ $.a = }" => (Value, "}");
        "{ ($.a = 1 }" => (Unclosed, "(");
        "{ $.a = 1" => (Unclosed, "{");
        "{ $.a = 1) }" => (Operator, ")");
        "{ $.a = 1 } x" => (TrailingText, "x");
        "{ $.a = 1 || \\\n $.b = 1 }" => (Selector, "\\");
        "{ $.a }" => (Operator, "}");
        "[a, a]" => (DuplicateField, "a");
        "[..., a, ...]" => (DuplicateField, "...");
        "[a == 1]" => (Operator, "==");
        "[a b]" => (Operator, "b");
        "[a" => (Unclosed, "[");
        "[a] b" => (TrailingText, "b");
        "\"open" => (Quote, "\"open");
        "level=error" => (Term, "=");
        "$.a = 1" => (Term, "$");
        "'{ $.a = 1 }'" => (Term, "'");
    }
    what_was_never_tried_is_unproven by unproven {
        "{ $.a is null }" => (Keyword, "is");
        "{ $.a Not Exists }" => (Keyword, "Not");
        "{ $.a = us-east-1 }" => (Value, "-");
        "{ $.a = a/b }" => (Value, "/");
        "{ $.a = null }" => (Value, "null");
        "{ $.a = .5 }" => (Value, ".5");
        "{ $.a = \"b\\n\" }" => (Value, "\\");
        "{ $['a'] = 1 }" => (Selector, "$[");
        "{ $.a['b'] = 1 }" => (Selector, "['");
        "{ $.@timestamp = 1 }" => (Selector, "@");
        "{ $.a = %a++% }" => (ErrorKind::Regex, "+");
        "{ $.a = %[a[b]]% }" => (ErrorKind::Regex, "[");
        "{ $.a = %\\b% }" => (ErrorKind::Regex, "\\b");
        "{ $.a = %% }" => (ErrorKind::Regex, "");
        "[a, , b]" => (Field, ",");
        "[]" => (Field, "]");
        "[a = 1 || b = 2]" => (Field, "b");
        "%a% b" => (Term, " b");
        "- a" => (Term, "-");
    }
}

fn nested(depth: usize) -> String {
    format!("{{ {}$.a = 1{} }}", "(".repeat(depth), ")".repeat(depth))
}

#[test]
fn parentheses_may_nest_to_any_sane_depth() {
    assert_eq!(canonical(&nested(64)), "{ $.a = 1 }");
    assert_eq!(unproven(&nested(65)), (TooDeep, "("));
    assert_eq!(unproven(&nested(500)), (TooDeep, "("));
}

#[test]
fn length_is_counted_in_characters() {
    let of = |length: usize| format!("{{ $.a = \"{}\" }}", "é".repeat(length - 12));
    assert_eq!(of(1024).chars().count(), 1024);
    assert!(FilterPattern::parse(&of(1024)).is_ok());
    assert_eq!(refused(&of(1025)).0, TooLong);
}

#[test]
fn an_error_is_shown_under_the_pattern() {
    let error = FilterPattern::parse("{ $.a = 1 && $.b == 2 }").unwrap_err();
    assert_eq!(
        error.to_string(),
        "not an operator at byte 17: expected `=`, `!=`, `<`, `<=`, `>` or `>=`"
    );
    assert_eq!(
        error.render(),
        "\
error: not an operator
  |
1 | { $.a = 1 && $.b == 2 }
  |                  ^^ expected `=`, `!=`, `<`, `<=`, `>` or `>=`"
    );
}
