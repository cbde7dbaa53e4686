//! Module crates that nobody names: `link_modules!` links them, `assert_modules_linked` misses them.
//!
//! Builds the workspaces in `fixtures/built/linking` and `fixtures/copied/facade`.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use mediator_tests::Workspace;

/// Runs Cargo in the fixture.
fn cargo(arguments: &[&str]) -> Output {
    static LINKING: LazyLock<Workspace> = LazyLock::new(|| Workspace::built("linking", env!("CARGO_TARGET_TMPDIR")));
    LINKING.cargo(arguments)
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
    insta::assert_snapshot!(report_in(&output));
}

/// The report of the check in the output of a test.
fn report_in(output: &str) -> String {
    let report = output.lines().skip_while(|line| !line.starts_with("crates "));
    report.take_while(|line| !line.starts_with("note:")).collect::<Vec<_>>().join("\n")
}

#[test]
fn errors_name_the_dependency() {
    let output = cargo(&["check", "--quiet", "--package", "broken"]);
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let error = text.lines().take_while(|line| !line.is_empty());
    insta::assert_snapshot!(error.collect::<Vec<_>>().join("\n"));
}

/// A module that knows the runtime from a crate in a repository, and a module in that repository.
static FACADE: LazyLock<Workspace> = LazyLock::new(|| {
    let scratch = env!("CARGO_TARGET_TMPDIR");
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mediator-core").canonicalize().unwrap();
    let repository = Path::new(scratch).join("copied/facade/repository");
    let values = [("RUNTIME", runtime.to_str().unwrap()), ("REPOSITORY", repository.to_str().unwrap())];
    let workspace = Workspace::copied("facade", scratch, &values);
    commit_all(&repository);
    workspace
});

fn commit_all(repository: &Path) {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]);
        // The same commit each time, so that nothing is built anew.
        git.env("GIT_AUTHOR_DATE", "2025-01-01T00:00:00Z").env("GIT_COMMITTER_DATE", "2025-01-01T00:00:00Z");
        let output = git.args(arguments).current_dir(repository).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "All"]);
}

#[test]
fn a_module_that_reaches_the_runtime_through_a_repository_is_linked() {
    let output = FACADE.cargo(&["run", "--quiet", "--package", "app"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "near::on_ping\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_check_does_not_advise_the_macro_that_is_there() {
    let output = FACADE.cargo(&["test", "--quiet", "--package", "app"]);
    insta::assert_snapshot!(report_in(&String::from_utf8(output.stdout).unwrap()));
}

#[test]
fn the_check_advises_the_macro_for_path_dependencies_only() {
    let output = FACADE.cargo(&["test", "--quiet", "--package", "app-without-macro"]);
    insta::assert_snapshot!(report_in(&String::from_utf8(output.stdout).unwrap()));
}

#[test]
fn the_check_tells_of_a_second_copy_of_the_runtime() {
    let output = FACADE.cargo(&["test", "--quiet", "--package", "app-with-two-runtimes"]);
    let report = report_in(&String::from_utf8(output.stdout).unwrap());
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mediator-core").canonicalize().unwrap();
    let repository = FACADE.directory().join("repository");
    let report = report.replace(runtime.to_str().unwrap(), "…/mediator-core");
    insta::assert_snapshot!(report.replace(repository.to_str().unwrap(), "…/repository"));
}
