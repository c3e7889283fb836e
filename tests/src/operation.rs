//! What operates the service besides the service itself, each checked by the tool of those who made it:
//! Prometheus's rules, the image, the unit of systemd.

use std::process::Command;

use crate::scanner::root;

/// Runs a tool that `cargo xtask test` provides in a variable, from a folder of the repository.
#[track_caller]
fn check(variable: &str, name: &str, folder: &str, arguments: &[&str]) {
    let tool = std::env::var_os(variable).unwrap_or_else(|| name.into());
    let run = Command::new(&tool)
        .args(arguments)
        .current_dir(root().join(folder))
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
    let promtool = |arguments: &[&str]| {
        check("PROMTOOL", "promtool", "config/prometheus", arguments);
    };
    promtool(&["check", "rules", "scanner-rules.yml"]);
    promtool(&["test", "rules", "scanner-rules.test.yml"]);
}

#[test]
fn the_image_is_made_as_images_should_be() {
    check("HADOLINT", "hadolint", "docker", &["Dockerfile"]);
}

/// Only where systemd is: it cannot be had without the whole of it.
#[test]
fn the_unit_of_systemd_is_closed_to_what_it_does_not_need() {
    let has_systemd = Command::new("systemd-analyze").arg("--version").output();
    if !has_systemd.is_ok_and(|run| run.status.success()) {
        return;
    }
    // In tenths: 2.0 of 10.
    let arguments = [
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        "scanner.service",
    ];
    check("SYSTEMD_ANALYZE", "systemd-analyze", "docker", &arguments);
}
