//! `scanner pattern`: filter patterns on their own.

use std::process::Stdio;

use crate::scanner::{Run, Shell};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

const COMPLETE: &str = r#"{ ($.eventSource = organizations.amazonaws.com) && ($.eventName != "Describe*") && ($.eventName != "List*") }"#;

/// Runs with a text on standard input.
async fn fed(arguments: &[&str], input: &str) -> Run {
    let shell = Shell::new();
    let mut command = shell.command(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .await
        .unwrap();
    let output = child.wait_with_output().await.unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn the_exit_code_says_what_a_pattern_comes_to() {
    let shell = Shell::new();
    let rows = [
        (COMPLETE, 0, "covered"),
        (
            r#"{ $.eventSource = "organizations.amazonaws.com" && $.eventName = "MoveAccount" }"#,
            3,
            "not covered",
        ),
        (
            r#"{ $.eventSource = "organizations.amazonaws.com" && $.errorCode NOT EXISTS }"#,
            3,
            "$.errorCode NOT EXISTS",
        ),
        (
            r#"{ $.eventSource = "organizations.amazonaws.com" && $.readOnly = false }"#,
            4,
            "undecided",
        ),
        (
            r#"{ $.eventSource = "organizations.amazonaws.com" && $.readOnly IS FALSE }"#,
            0,
            "readOnly",
        ),
        (
            r#"{ $.eventSource == "organizations.amazonaws.com" }"#,
            2,
            "^",
        ),
    ];
    for (pattern, code, says) in rows {
        let run = shell.run(&["pattern", "check", pattern]).await;
        assert_eq!(run.code, code, "{pattern}: {run:#?}");
        assert!(run.stdout.contains(says), "{pattern}: {}", run.stdout);
    }
    let piped = fed(&["pattern", "check", "--control", "4.15", "-"], COMPLETE).await;
    assert_eq!(piped.code, 0, "{piped:#?}");
}

#[tokio::test]
async fn json_says_what_is_missed_with_a_witness() {
    let shell = Shell::new();
    let narrowed = r#"{ $.eventSource = "organizations.amazonaws.com" && $.errorCode NOT EXISTS }"#;
    let run = shell
        .run(&["pattern", "check", "--format", "json", narrowed])
        .await;
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["verdict"], "not_covered");
    assert_eq!(answer["missed"].as_array().unwrap().len(), 18);
    let missed = &answer["missed"][0];
    assert_eq!(missed["kind"], "narrowed");
    assert!(missed["witness"]["errorCode"].is_string(), "{missed}");
    let span = [
        missed["span"][0].as_u64().unwrap(),
        missed["span"][1].as_u64().unwrap(),
    ];
    let rejected = &narrowed[usize::try_from(span[0]).unwrap()..usize::try_from(span[1]).unwrap()];
    assert!(rejected.contains("errorCode"), "{rejected}");
    assert_eq!(answer["error"], Value::Null);

    let invalid = shell
        .run(&["pattern", "check", "--format", "json", "{ $.a == 1 }"])
        .await;
    let invalid: Value = serde_json::from_str(&invalid.stdout).unwrap();
    assert_eq!(invalid["verdict"], "invalid");
    assert!(invalid["error"]["expected"].is_string(), "{invalid}");
}

#[tokio::test]
async fn many_patterns_are_answered_line_by_line() {
    let questions = [
        json!({ "id": "a", "pattern": COMPLETE }),
        json!({ "id": 7, "pattern": "{ $.eventName = \"MoveAccount\" }" }),
        json!({ "id": null, "pattern": "{ $.eventName" }),
    ];
    let input = questions.each_ref().map(ToString::to_string).join("\n");
    let run = fed(&["pattern", "check", "--jsonl"], &input).await;
    assert_eq!(run.code, 0, "{run:#?}");
    let answers: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said: Vec<_> = answers
        .iter()
        .map(|answer| (answer["id"].clone(), answer["verdict"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (json!("a"), json!("covered")),
            (json!(7), json!("not_covered")),
            (Value::Null, json!("invalid"))
        ]
    );
    let broken = fed(
        &["pattern", "check", "--jsonl"],
        &format!("nonsense\n{}\n", questions[0]),
    )
    .await;
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("line 1"), "{}", broken.stderr);
    assert_eq!(
        broken.stdout.lines().count(),
        1,
        "the other line is answered all the same"
    );
}

#[tokio::test]
async fn events_are_tested_from_files_lines_and_questions() {
    let shell = Shell::new();
    std::fs::write(
        shell.path("move.json"),
        "{\n  \"eventName\": \"MoveAccount\"\n}\n",
    )
    .unwrap();
    std::fs::write(
        shell.path("other.json"),
        "{\"eventName\": \"ListAccounts\"}",
    )
    .unwrap();
    let pattern = "{ $.eventName = MoveAccount }";
    let run = shell
        .run(&["pattern", "test", pattern, "move.json", "other.json"])
        .await;
    assert_eq!(
        run.stdout,
        "move.json: matches\nother.json: does not match\n"
    );
    let lines = "{\"eventName\": \"ListAccounts\"}\nno json\n{\"eventName\": \"MoveAccount\"}\n";
    let piped = fed(
        &["pattern", "test", "--format", "json", pattern, "-"],
        lines,
    )
    .await;
    let piped: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert_eq!(piped["matched"], json!([2]));
    let question = json!({ "id": 1, "pattern": pattern, "messages": ["{\"eventName\": \"MoveAccount\"}", "x"] });
    let answered = fed(&["pattern", "test", "--jsonl"], &format!("{question}\n")).await;
    let answered: Value = serde_json::from_str(&answered.stdout).unwrap();
    assert_eq!(answered["id"], 1);
    assert_eq!(
        (
            &answered["valid"],
            &answered["matched"],
            &answered["undecided"]
        ),
        (&json!(true), &json!([0]), &json!([]))
    );
    let missing = shell
        .run(&["pattern", "test", pattern, "missing.json"])
        .await;
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("missing.json"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn a_pattern_is_explained_in_words_and_in_its_canonical_form() {
    let shell = Shell::new();
    let run = shell
        .run(&[
            "pattern",
            "explain",
            "{($.eventName=Delete*)||$.errorCode NOT EXISTS}",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(
        run.stdout.contains("eventName starts with \"Delete\""),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("canonical: { "), "{}", run.stdout);
    let invalid = shell
        .run(&["pattern", "explain", "{ $.eventName = }"])
        .await;
    assert_eq!(invalid.code, 2);
    assert!(
        invalid.stderr.contains("{ $.eventName = }") && invalid.stderr.contains('^'),
        "{}",
        invalid.stderr
    );
}
