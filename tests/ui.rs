//! What the compiler says to each mistake; see `ui/README.md` on changing it.

/// rustc words its own messages anew now and then, so they are pinned for one version only.
#[test]
fn every_mistake_gets_the_message_that_mends_it() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
