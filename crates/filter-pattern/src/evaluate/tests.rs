//! What matches what, one case a line.
//!
//! Each case is tried on the pattern as written and on its canonical form. What AWS was observed to
//! do is marked with the construct it was observed for; the cases are our own.

use crate::outcome::Match;
use crate::{Doubt, FilterPattern};

fn matches(pattern: &str, message: &str) -> Match {
    let parsed = FilterPattern::parse(pattern).unwrap_or_else(|error| panic!("{}", error.render()));
    let canonical = FilterPattern::parse(&parsed.to_string()).unwrap();
    let answer = parsed.matches(message);
    assert_eq!(
        canonical.matches(message),
        answer,
        "{pattern} and {canonical} on {message}"
    );
    answer
}

macro_rules! cases {
    ($($name:ident { $($pattern:literal, $message:literal => $answer:expr;)* })*) => {$(
        #[test]
        fn $name() {
            $(assert_eq!(matches($pattern, $message), $answer, "{} on {}", $pattern, $message);)*
        }
    )*};
}

use Match::{No, Yes};

fn unsure(doubt: Doubt) -> Match {
    Match::Undecided(doubt)
}

cases! {
    equality_asks_for_a_scalar_that_is_there {
        "{ $.role = admin }", r#"{"role":"admin"}"# => Yes;
        "{ $.role = admin }", r#"{"role":"Admin"}"# => No;
        "{ $.role = admin }", r#"{"role":"administrator"}"# => No;
        "{ $.role = admin }", "{}" => No;
        "{ $.role = admin }", r#"{"role":null}"# => No;
        "{ $.role = admin }", r#"{"role":["admin"]}"# => No;
        "{ $.role = admin }", r#"{"role":{"admin":"admin"}}"# => No;
    }
    inequality_asks_for_a_scalar_too {
        "{ $.role != admin }", r#"{"role":"guest"}"# => Yes;
        "{ $.role != admin }", r#"{"role":7}"# => Yes;
        "{ $.role != admin }", r#"{"role":""}"# => Yes;
        "{ $.role != admin }", r#"{"role":"admin"}"# => No;
        "{ $.role != admin }", "{}" => No;
        "{ $.role != admin }", r#"{"role":null}"# => No;
        "{ $.role != admin }", r#"{"role":true}"# => No;
        "{ $.role != admin }", r#"{"role":["guest"]}"# => No;
        "{ $.role != admin }", r#"{"role":{}}"# => No;
    }
    missing_is_not_null {
        "{ $.code NOT EXISTS }", "{}" => Yes;
        "{ $.code NOT EXISTS }", r#"{"code":null}"# => No;
        "{ $.code NOT EXISTS }", r#"{"code":{}}"# => No;
        "{ $.outer.code NOT EXISTS }", "{}" => Yes;
        "{ $.outer.code NOT EXISTS }", r#"{"outer":{"other":1}}"# => Yes;
        "{ $.code IS NULL }", r#"{"code":null}"# => Yes;
        "{ $.code IS NULL }", "{}" => No;
        "{ $.code IS NULL }", r#"{"code":"null"}"# => No;
        "{ $.code IS NULL }", r#"{"code":["a",null]}"# => Yes;
        "{ $.code IS NULL }", r#"{"code":[["a",null]]}"# => unsure(Doubt::LiteralInsideContainer);
        "{ $.code IS NULL }", r#"{"code":{"a":1}}"# => No;
    }
    booleans_are_asked_for_by_keyword {
        "{ $.dry IS TRUE }", r#"{"dry":true}"# => Yes;
        "{ $.dry IS TRUE }", r#"{"dry":false}"# => No;
        "{ $.dry IS TRUE }", r#"{"dry":"true"}"# => No;
        "{ $.dry IS FALSE }", r#"{"dry":false}"# => Yes;
        "{ $.dry IS FALSE }", "{}" => No;
        "{ $.dry IS FALSE }", r#"{"dry":[false]}"# => unsure(Doubt::LiteralInsideContainer);
    }
    a_bare_boolean_is_a_riddle {
        "{ $.dry = false }", r#"{"dry":false}"# => unsure(Doubt::BareBoolean);
        "{ $.dry = false }", r#"{"dry":"false"}"# => unsure(Doubt::BareBoolean);
        "{ $.dry = false }", r#"{"dry":true}"# => No;
        "{ $.dry = false }", r#"{"dry":"no"}"# => No;
        "{ $.dry = false }", "{}" => No;
        "{ $.dry != false }", r#"{"dry":"no"}"# => unsure(Doubt::BareBoolean);
        "{ $.dry != false }", "{}" => No;
        r#"{ $.dry = "false" }"#, r#"{"dry":"false"}"# => Yes;
        r#"{ $.dry = "false" }"#, r#"{"dry":false}"# => No;
    }
    numbers_compare_by_value_and_with_text_by_spelling {
        "{ $.n = 5 }", r#"{"n":5}"# => Yes;
        "{ $.n = 5 }", r#"{"n":5.00}"# => Yes;
        "{ $.n = 5 }", r#"{"n":50e-1}"# => Yes;
        "{ $.n = 5 }", r#"{"n":"5"}"# => Yes;
        "{ $.n = 5 }", r#"{"n":"5.0"}"# => No;
        "{ $.n != 5 }", r#"{"n":"5.0"}"# => Yes;
        "{ $.n = 5e0 }", r#"{"n":5}"# => Yes;
        "{ $.n = 5e0 }", r#"{"n":"5"}"# => No;
        "{ $.n = 5e0 }", r#"{"n":"5e0"}"# => unsure(Doubt::NumberSpelling);
        r#"{ $.n = "5" }"#, r#"{"n":5}"# => Yes;
        r#"{ $.n = "5" }"#, r#"{"n":5.0}"# => No;
        r#"{ $.n = "5.0" }"#, r#"{"n":5.0}"# => Yes;
        r#"{ $.n = "5.0" }"#, r#"{"n":5e0}"# => unsure(Doubt::NumberSpelling);
        "{ $.n = 4* }", r#"{"n":404}"# => Yes;
        "{ $.n = 4* }", r#"{"n":504}"# => No;
        "{ $.n = * }", r#"{"n":1e99}"# => Yes;
        "{ $.n = 9007199254740993 }", r#"{"n":9007199254740992}"# => unsure(Doubt::NumberPrecision);
        "{ $.n = 9007199254740993 }", r#"{"n":9007199254740993}"# => Yes;
    }
    order_is_for_numbers {
        "{ $.n > 10 }", r#"{"n":11}"# => Yes;
        "{ $.n > 10 }", r#"{"n":10}"# => No;
        "{ $.n > 10 }", r#"{"n":"11"}"# => No;
        "{ $.n >= 1e1 }", r#"{"n":10}"# => Yes;
        "{ $.n < -2.5 }", r#"{"n":-3}"# => Yes;
        "{ $.n <= 0 }", r#"{"n":0.1}"# => No;
    }
    wildcards_stand_at_the_ends {
        "{ $.s = Put* }", r#"{"s":"Put"}"# => Yes;
        "{ $.s = Put* }", r#"{"s":"PutItem"}"# => Yes;
        "{ $.s = Put* }", r#"{"s":"OutPut"}"# => No;
        r#"{ $.s = "*Policy" }"#, r#"{"s":"DetachPolicy"}"# => Yes;
        r#"{ $.s = "*Policy*" }"#, r#"{"s":"PutPolicyVersion"}"# => Yes;
        r#"{ $.s != "*Policy*" }"#, r#"{"s":"PutPolicyVersion"}"# => No;
        r#"{ $.s = "a?c" }"#, r#"{"s":"abc"}"# => No;
        r#"{ $.s = "a?c" }"#, r#"{"s":"a?c"}"# => Yes;
        "{ $.s = * }", r#"{"s":""}"# => Yes;
        r#"{ $.s = "" }"#, r#"{"s":""}"# => Yes;
        r#"{ $.s = "" }"#, r#"{"s":" "}"# => No;
    }
    a_wildcard_inside_is_literal_or_not {
        r#"{ $.s = "Put*Policy" }"#, r#"{"s":"Put*Policy"}"# => Yes;
        r#"{ $.s = "Put*Policy" }"#, r#"{"s":"PutRolePolicy"}"# => unsure(Doubt::InnerWildcard);
        r#"{ $.s = "Put*Policy" }"#, r#"{"s":"PutRole"}"# => No;
        r#"{ $.s != "Put*Policy" }"#, r#"{"s":"PutRole"}"# => Yes;
        r#"{ $.s = "a*bb" }"#, r#"{"s":"abb b"}"# => No;
        r#"{ $.s = "a*b*" }"#, r#"{"s":"a-b-"}"# => unsure(Doubt::InnerWildcard);
    }
    expressions_search_anywhere {
        "{ $.s = %e[nm]d% }", r#"{"s":"SendMail"}"# => Yes;
        "{ $.s = %^end% }", r#"{"s":"Send"}"# => No;
        "{ $.s = %^Send|^Put% }", r#"{"s":"PutItem"}"# => Yes;
        "{ $.s = %\\d{3}$% }", r#"{"s":"error 404"}"# => Yes;
        "{ $.s = %\\x41\\.b% }", r#"{"s":"A.b"}"# => Yes;
        "{ $.s != %^Send% }", r#"{"s":"PutItem"}"# => Yes;
        "{ $.s != %^Send% }", "{}" => No;
        "{ $.s = %1% }", r#"{"s":1}"# => unsure(Doubt::RegexOverNumber);
        "{ $.s = %1% }", r#"{"s":2}"# => No;
        "{ $.s = %^a.b$% }", r#"{"s":"aéb"}"# => unsure(Doubt::RegexAlphabet);
        "{ $.s = %^a.b$% }", "{\"s\":\"a\\nb\"}" => unsure(Doubt::RegexAlphabet);
        "{ $.s = %a\\sb% }", "{\"s\":\"a\\nb\"}" => Yes;
        "{ $.s = %^a% }", "{\"s\":\"b\\na\"}" => unsure(Doubt::RegexAlphabet);
        "{ $.s = %[^x]% }", r#"{"s":"xé"}"# => unsure(Doubt::RegexAlphabet);
        "{ $.s = %y% }", r#"{"s":"xé"}"# => No;
    }
    selectors_lead_to_a_value {
        "{ $.a.b.c = 1 }", r#"{"a":{"b":{"c":1}}}"# => Yes;
        "{ $.a.b.c = 1 }", r#"{"a":{"b.c":1}}"# => No;
        "{ $.a.['b.c'] = 1 }", r#"{"a":{"b.c":1}}"# => Yes;
        r#"{ $.a.["b'c"] = 1 }"#, r#"{"a":{"b'c":1}}"# => Yes;
        "{ $.l[1] = y }", r#"{"l":["x","y"]}"# => Yes;
        "{ $.l[2] = y }", r#"{"l":["x","y"]}"# => No;
        "{ $.l[0][1] = y }", r#"{"l":[["x","y"]]}"# => Yes;
        "{ $.l[0] = y }", r#"{"l":{"0":"y"}}"# => No;
        "{ $.a = 2 }", r#"{"a":1,"a":2}"# => Yes;
    }
    wildcard_selectors_ask_for_some_element {
        "{ $.l[*] = y }", r#"{"l":["x","y"]}"# => Yes;
        "{ $.l[*] = y }", r#"{"l":["x"]}"# => No;
        "{ $.l[*] = y }", r#"{"l":"y"}"# => No;
        "{ $.l[*] = y }", r#"{"l":{"k":"y"}}"# => Yes;
        "{ $.l[*].k = y }", r#"{"l":[{"k":"x"},{"k":"y"}]}"# => Yes;
        "{ $.o.* = y }", r#"{"o":{"k":"y"}}"# => Yes;
        "{ $.o.* = y }", r#"{"o":["y"]}"# => unsure(Doubt::MemberWildcardOverArray);
        "{ $.l[*] != y }", r#"{"l":["x","z"]}"# => Yes;
        "{ $.l[*] != y }", r#"{"l":["x","y"]}"# => unsure(Doubt::NegationOverWildcard);
        "{ $.l[*] != y }", r#"{"l":[]}"# => No;
        "{ $.l[*].k NOT EXISTS }", r#"{"l":[{"k":1},{}]}"# => unsure(Doubt::NegationOverWildcard);
    }
    and_binds_tighter_than_or {
        "{ $.a = 1 || $.b = 1 && $.c = 1 }", r#"{"a":1}"# => Yes;
        "{ $.a = 1 && $.b = 1 || $.c = 1 }", r#"{"c":1}"# => Yes;
        "{ $.a = 1 && ($.b = 1 || $.c = 1) }", r#"{"c":1}"# => No;
        "{ ($.a = 1 || $.b = 1) && $.c = 1 }", r#"{"a":1}"# => No;
    }
    a_record_is_an_object_and_nothing_else {
        "{ $.a NOT EXISTS }", "no record" => No;
        "{ $.a NOT EXISTS }", "[{}]" => No;
        "{ $.a NOT EXISTS }", "{} {}" => No;
        "{ $.a NOT EXISTS }", " \n{}\t" => Yes;
        "{ $.a NOT EXISTS }", "{\"b\":\"\\ud800\"}" => unsure(Doubt::LoneSurrogate);
        "{ $.a = \"😀\" || $.b NOT EXISTS }", "{}" => Yes;
        "{ $.a = \"😀\" }", r#"{"a":"\ud83d\ude00"}"# => Yes;
    }
    terms_occur_anywhere {
        "Denied", "AccessDenied for Bob" => Yes;
        "Denied", "accessdenied" => No;
        "Denied Bob", "Bob: AccessDenied" => Yes;
        "Denied Bob", "AccessDenied" => No;
        "Denied -Bob", "AccessDenied" => Yes;
        "Denied -Bob", "AccessDenied Bob" => No;
        "-Bob", "Eve" => Yes;
        "?Bob ?Eve", "Eve" => Yes;
        "?Bob ?Eve", "Mallory" => No;
        "?Bob Eve", "Eve" => Yes;
        "?Bob -Eve", "Mallory" => Yes;
        r#""for Bob""#, "AccessDenied for Bob" => Yes;
        r#""for Bob""#, "AccessDenied for  Bob" => No;
        r#""say \"hi\"""#, r#"they say "hi" twice"# => Yes;
        "", "anything" => Yes;
        r#""""#, "anything" => Yes;
        r#"" ""#, "any thing" => Yes;
        r#"" ""#, "anything" => unsure(Doubt::BlankTerm);
        r#""a*c""#, "abc" => unsure(Doubt::TermWildcard);
        r#""a*c""#, "cba" => No;
        "%B.b%", "Bob" => Yes;
        "%^ob%", "Bob" => No;
    }
    fields_are_set_apart_by_blanks {
        "[level = WARN, rest]", "WARN disk full" => Yes;
        "[level = WARN, rest]", "WARN" => No;
        "[level = WARN, rest]", "INFO disk full" => No;
        "[a, b, c = 7]", "x \"two words\" 7" => Yes;
        "[a, b, c = 7]", "x [two words] 7" => Yes;
        "[..., last = 7]", "a b c 7" => Yes;
        "[first = a, ..., last = 7]", "a 7" => Yes;
        "[first = a, ..., last = 7]", "a" => No;
        "[a = x || a = y, b]", "y z" => Yes;
        "[a != x && a != y, b]", "z z" => Yes;
        "[a > 5, b]", "6 z" => Yes;
        "[a > 5, b]", "six z" => No;
        "[a, b = x]", "a x y" => unsure(Doubt::FieldSplitting);
        "[a, b = x]", "a  x" => unsure(Doubt::FieldSplitting);
        "[a = \"two words\"]", "\"two words\"" => unsure(Doubt::FieldSplitting);
        "[a = 1]", "1.0" => unsure(Doubt::FieldNumber);
    }
}

#[test]
fn a_record_nested_beyond_reason_is_undecided() {
    let message = format!("{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(
        matches("{ $.b NOT EXISTS }", &message),
        unsure(Doubt::RecordDepth)
    );
}

#[test]
fn an_expression_that_is_too_large_is_undecided() {
    let pattern = format!("{{ $.s = %{}% }}", ".{900}".repeat(100));
    assert_eq!(matches(&pattern, r#"{"s":"x"}"#), unsure(Doubt::RegexSize));
}
