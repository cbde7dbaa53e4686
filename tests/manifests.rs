//! Crates whose manifests do not name the runtime as the macros expect, or lack a feature of it, are told what to write.
//!
//! Checks the workspace in `fixtures/built/manifests`.
#![allow(missing_docs)]

use std::path::Path;
use std::process::Command;
use std::sync::Once;

/// What is wrong with a crate of the fixture, each mistake with its place.
fn mistakes(package: &str) -> String {
    static LOCKED: Once = Once::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = here.join("fixtures/built/manifests");
    LOCKED.call_once(|| _ = std::fs::copy(here.join("../Cargo.lock"), fixture.join("Cargo.lock")).unwrap());
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--message-format=short", "--package", package])
        .current_dir(fixture)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("manifests"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let mistakes = text.lines().filter(|line| !line.contains("could not compile"));
    mistakes.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_crate_that_renames_the_runtime_is_told_its_name() {
    insta::assert_snapshot!(mistakes("renamed"));
}

#[test]
fn a_crate_that_does_not_list_the_runtime_is_told_to() {
    insta::assert_snapshot!(mistakes("behind-facade"));
}

#[test]
fn a_crate_that_serializes_events_without_the_feature_is_told_its_name() {
    insta::assert_snapshot!(mistakes("without-serde"));
}
