//! Module crates that nobody names: `link_modules!` links them, `assert_modules_linked` misses them.
//!
//! Builds the workspace in `fixtures/built/linking`.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Once;

/// Runs Cargo in the fixture, with the dependencies of this workspace.
fn cargo(arguments: &[&str]) -> Output {
    static LOCKED: Once = Once::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = here.join("fixtures/built/linking");
    LOCKED.call_once(|| _ = std::fs::copy(here.join("../Cargo.lock"), fixture.join("Cargo.lock")).unwrap());
    Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(fixture)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking"))
        .env_remove("RUSTFLAGS")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

/// The crates whose handlers are found by a program of the fixture.
fn linked(arguments: &[&str]) -> String {
    let output = cargo(&[&["run", "--quiet"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

const OTHERS: &str = if cfg!(windows) { "on-windows" } else { "on-unix" };

#[test]
fn a_dependency_that_is_not_named_is_absent() {
    assert_eq!(linked(&["--bin", "nothing"]), "");
}

#[test]
fn all_modules_among_the_dependencies_are_linked() {
    let all = format!("direct inherited library-name linked {OTHERS} renamed renamed-by-workspace transitive");
    assert_eq!(linked(&["--bin", "linked"]), all);
}

#[test]
fn an_optional_module_is_linked_with_its_feature() {
    let all = format!("direct inherited library-name linked {OTHERS} optional renamed renamed-by-workspace transitive");
    assert_eq!(linked(&["--bin", "linked", "--features", "extra"]), all);
}

#[test]
fn modules_can_be_listed() {
    assert_eq!(linked(&["--bin", "explicit"]), "direct renamed");
    assert_eq!(linked(&["--bin", "explicit", "--features", "extra"]), "direct optional renamed");
}

#[test]
fn a_package_without_modules_builds() {
    assert_eq!(linked(&["--bin", "without-modules"]), "");
}

/// What a test of the fixture prints.
fn tested(arguments: &[&str]) -> String {
    let output = cargo(&[&["test", "--quiet"], arguments, &["--", "--nocapture"]].concat());
    assert_eq!(output.status.success(), !arguments.contains(&"forgotten"));
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_test_that_links_everything_passes_the_check() {
    let output = tested(&["--test", "linked"]);
    let all = format!("direct in-tests inherited library-name linked {OTHERS} renamed renamed-by-workspace transitive");
    assert!(output.contains(&all), "{output}");
}

#[test]
fn a_package_without_modules_passes_the_check() {
    tested(&["--package", "without-modules"]);
}

#[test]
fn the_check_names_what_is_absent_and_the_line_that_links_it() {
    let output = tested(&["--test", "forgotten"]);
    let report = output.lines().skip_while(|line| !line.contains("not linked"));
    let report: Vec<_> = report.take_while(|line| !line.starts_with("note:")).collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn errors_name_the_dependency() {
    let output = cargo(&["check", "--quiet", "--package", "broken"]);
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let error = text.lines().take_while(|line| !line.is_empty());
    insta::assert_snapshot!(error.collect::<Vec<_>>().join("\n"));
}
