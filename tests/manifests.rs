//! Crates whose manifests do not name the runtime as the macros expect, or lack a feature of it, are told what to write.
//!
//! Checks the workspace in `fixtures/built/manifests`.
#![allow(missing_docs)]

use std::sync::LazyLock;

use mediator_tests::Workspace;

/// What is wrong with a crate of the fixture, each mistake with its place.
fn mistakes(package: &str) -> String {
    static MANIFESTS: LazyLock<Workspace> =
        LazyLock::new(|| Workspace::built("manifests", env!("CARGO_TARGET_TMPDIR")));
    let output = MANIFESTS.cargo(&["check", "--quiet", "--message-format=short", "--package", package]);
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

#[test]
fn a_crate_that_limits_the_time_of_handlers_without_the_feature_is_told_its_name() {
    insta::assert_snapshot!(mistakes("without-tokio"));
}
