//! Whatever is written under a macro, it answers, and an item stays an item.
//!
//! The input is source text, of which the first attribute lends its arguments to every macro. `{none …}` stands for an
//! invisible group, as `macro_rules!` makes it of a fragment.
#![no_main]
#![allow(dead_code)]

include!("../../tests/macros.rs");

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::{Delimiter, Group};

fuzz_target!(
    // SAFETY: no other thread runs yet.
    // The manifest of this crate names no runtime, so that all macros would answer with that.
    init: unsafe { std::env::remove_var("CARGO_MANIFEST_PATH") },
    |source: &str| -> Corpus {
        let Ok(tokens) = source.parse() else {
            return Corpus::Reject;
        };
        expand_by_every_macro(with_invisible_groups(tokens));
        Corpus::Keep
    }
);

fn with_invisible_groups(tokens: TokenStream) -> TokenStream {
    let convert = |token| match token {
        TokenTree::Group(group) => {
            let mut inside = group.stream().into_iter().peekable();
            let invisible = inside.next_if(|first| first.to_string() == "none").is_some();
            let delimiter = if invisible { Delimiter::None } else { group.delimiter() };
            TokenTree::from(Group::new(delimiter, with_invisible_groups(inside.collect())))
        }
        token => token,
    };
    tokens.into_iter().map(convert).collect()
}
