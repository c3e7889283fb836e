//! What operates the service besides the service itself: Prometheus's rules, checked by Prometheus's own tool.

use std::process::Command;

use crate::scanner::root;

/// promtool, as `cargo xtask test` provides it.
fn promtool(arguments: &[&str]) {
    let tool = std::env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let run = Command::new(&tool)
        .args(arguments)
        .current_dir(root().join("config/prometheus"))
        .output();
    let run = run.unwrap_or_else(|error| {
        panic!(
            "{} cannot be run ({error}): `cargo xtask test` provides it",
            tool.display()
        )
    });
    assert!(
        run.status.success(),
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn the_alert_rules_are_valid_and_say_what_they_are_to_say() {
    promtool(&["check", "rules", "scanner-rules.yml"]);
    promtool(&["test", "rules", "scanner-rules.test.yml"]);
}
