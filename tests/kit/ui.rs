//! What the compiler says to each mistake; see `../ui/README.md` on changing it.
#![allow(missing_docs)]

/// rustc words its own messages anew now and then, so they are pinned for one version only.
#[rustversion::attr(not(stable(1.95)), ignore = "the answers are pinned for rustc 1.95")]
#[test]
fn every_mistake_gets_the_message_that_mends_it() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
