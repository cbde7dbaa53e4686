//! One piece of code that is compiled into a program twice does not run twice: the mediator is not built.
//!
//! Builds the workspace in `fixtures/built/twice`.
#![allow(missing_docs)]

use std::sync::LazyLock;

use mediator_tests::Workspace;

/// What a program of the fixture says.
fn said_by(arguments: &[&str]) -> String {
    static TWICE: LazyLock<Workspace> = LazyLock::new(|| Workspace::built("twice", env!("CARGO_TARGET_TMPDIR")));
    let output = TWICE.cargo(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let error = said.lines().skip_while(|line| !line.contains("cannot be built"));
    error.take_while(|line| !line.is_empty() && *line != ".").collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_of_the_library_and_of_the_binary_is_found_twice() {
    insta::assert_snapshot!(said_by(&["run", "--quiet", "--package", "twin"]));
}

#[test]
fn a_crate_that_a_development_dependency_depends_on_is_found_twice() {
    insta::assert_snapshot!(said_by(&["test", "--quiet", "--package", "billing", "--", "--nocapture"]));
}

#[test]
fn two_versions_of_a_crate_are_found() {
    insta::assert_snapshot!(said_by(&["run", "--quiet", "--package", "two-versions"]));
}
