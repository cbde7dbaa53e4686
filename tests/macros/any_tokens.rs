//! Whatever is written under a macro, it answers: with what was asked for, or with an error at its place.

use std::{fmt, fs};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::sample::Index;
use quote::ToTokens;

use crate::{expand_by_every_macro, sources};

/// One token, or one side of a group: what edits can tear apart.
#[derive(Clone)]
enum Piece {
    Open(Delimiter),
    Close,
    Token(TokenTree),
}

fn pieces(tokens: TokenStream) -> Vec<Piece> {
    let of_token = |token| match token {
        TokenTree::Group(group) => {
            let inside = pieces(group.stream());
            [Piece::Open(group.delimiter())].into_iter().chain(inside).chain([Piece::Close]).collect()
        }
        token => vec![Piece::Token(token)],
    };
    tokens.into_iter().flat_map(of_token).collect()
}

/// Puts the pieces together; a group that is never closed ends with the last piece.
fn assemble(pieces: &mut impl Iterator<Item = Piece>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Open(delimiter) => tokens.extend([TokenTree::from(Group::new(delimiter, assemble(pieces)))]),
            Piece::Close => break,
            Piece::Token(token) => tokens.extend([token]),
        }
    }
    tokens
}

/// Everything that the macros have an opinion about, and what commonly stands around it.
const VOCABULARY: &str = r##"
    event event_handler event_handlers request request_handler request_handlers behavior Behavior lends service inject notification manual DynNotification Option Result self cfg cfg_attr derive Inject default with name new order after before
    crate self super Self struct enum union fn impl trait type mod const static async unsafe extern pub mut ref dyn
    for where in move let OrderPlaced EventHandler PlaceOrder RequestHandler error event_id r#type 'a 'static '_ & && * - -> => = == , ; : :: . .. < >
    << | ! ? # $ @ _ 0 -1 1.5 3_000_000_000 "text" 'c' b"bytes" true false
"##;

/// A token, or an invisible group as `macro_rules!` makes it of a fragment.
fn piece() -> impl Strategy<Value = Piece> {
    let words: Vec<Piece> = pieces(VOCABULARY.parse().unwrap());
    let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
    prop_oneof![
        8 => prop::sample::select(words),
        2 => prop::sample::select(delimiters.map(Piece::Open).to_vec()),
        1 => Just(Piece::Close),
    ]
}

#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    Duplicate(Index),
    Swap(Index, Index),
    Insert(Index, Piece),
    Replace(Index, Piece),
    Cut(Index),
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(delimiter) => write!(f, "{delimiter:?} {{"),
            Self::Close => f.write_str("}"),
            Self::Token(token) => token.fmt(f),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        3 => at().prop_map(Edit::Remove),
        2 => at().prop_map(Edit::Duplicate),
        2 => (at(), at()).prop_map(|(one, other)| Edit::Swap(one, other)),
        3 => (at(), piece()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        3 => (at(), piece()).prop_map(|(at, piece)| Edit::Replace(at, piece)),
        1 => at().prop_map(Edit::Cut),
    ]
}

impl Edit {
    fn apply(self, pieces: &mut Vec<Piece>) {
        if pieces.is_empty() {
            return;
        }
        let count = pieces.len();
        let place = |index: Index| index.index(count);
        match self {
            Self::Remove(at) => _ = pieces.remove(place(at)),
            Self::Duplicate(at) => pieces.insert(place(at), pieces[place(at)].clone()),
            Self::Swap(one, other) => pieces.swap(place(one), place(other)),
            Self::Insert(at, piece) => pieces.insert(place(at), piece),
            Self::Replace(at, piece) => pieces[place(at)] = piece,
            Self::Cut(at) => pieces.truncate(place(at)),
        }
    }
}

fn items() -> Vec<TokenStream> {
    let files = sources().into_iter().map(|path| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap());
    files.flat_map(|file| file.items).map(ToTokens::into_token_stream).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_macro_panics_whatever_is_written_under_it(
        item in prop::sample::select(items()),
        edits in prop::collection::vec(edit(), 0..6),
    ) {
        let mut pieces = pieces(item);
        edits.into_iter().for_each(|edit| edit.apply(&mut pieces));
        expand_by_every_macro(assemble(&mut pieces.into_iter()));
    }
}
