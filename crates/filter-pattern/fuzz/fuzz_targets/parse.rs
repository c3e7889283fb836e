//! No text makes the parser fail otherwise than by an error, and what it accepts it prints.
#![no_main]

use filter_pattern::FilterPattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match FilterPattern::parse(text) {
        Ok(pattern) => {
            let printed = pattern.to_string();
            let again = FilterPattern::parse(&printed).expect("what is printed parses");
            assert_eq!(again, pattern, "{printed}");
            let _ = pattern.explain().to_string();
            let answer = pattern.matches(text);
            assert_eq!(again.matches(text), answer);
            let _ = pattern.matches(r#"{"a":"b","c":[1,null,{"d":true}]}"#);
        }
        Err(error) => {
            assert!(text.get(error.span()).is_some());
            let _ = error.render();
        }
    }
});
