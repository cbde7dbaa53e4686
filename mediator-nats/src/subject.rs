//! Names, and the subjects that events are published to.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::NatsError;

/// What has a meaning in a subject, or none that every client accepts.
const RESERVED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'*').add(b'>').add(b'/').add(b'\\').add(b'"').add(b'\'');

/// The subject of an event: its name behind the prefix, `mediator.orders.placed`.
pub(crate) fn of_event(prefix: &str, name: &str) -> String {
    let token = |token: &str| match token {
        // No token of a subject is empty.
        "" => "%00".to_owned(),
        token => utf8_percent_encode(token, RESERVED).to_string(),
    };
    let tokens: Vec<_> = name.split('.').map(token).collect();
    format!("{prefix}.{}", tokens.join("."))
}

/// All subjects of events.
pub(crate) fn of_all(prefix: &str) -> String {
    format!("{prefix}.>")
}

/// Whether every subject that `wanted` matches is matched by `pattern`.
pub(crate) fn covers(pattern: &str, wanted: &str) -> bool {
    let (mut pattern, mut wanted) = (pattern.split('.'), wanted.split('.'));
    loop {
        match (pattern.next(), wanted.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(token), Some(other)) if token == other => {}
            _ => return false,
        }
    }
}

/// Whether a service or a stream can have this name, or subjects this prefix.
pub(crate) fn check(of: &'static str, name: &str) -> Result<(), NatsError> {
    let is_token =
        |token: &str| !token.is_empty() && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let is_good = if of == "prefix" { name.split('.').all(is_token) } else { is_token(name) };
    if is_good { Ok(()) } else { Err(NatsError::Name { of, name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_subjects_that_nats_accepts() {
        assert_eq!(of_event("mediator", "orders.placed"), "mediator.orders.placed");
        assert_eq!(of_event("mediator", "a b.*.>"), "mediator.a%20b.%2A.%3E");
        assert_eq!(of_event("mediator", "..é"), "mediator.%00.%00.%C3%A9");
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        for pattern in ["mediator.>", ">", "*.>"] {
            assert!(covers(pattern, "mediator.>"), "{pattern}");
        }
        for pattern in ["mediator.*", "other.>", "mediator", "mediator.orders.>"] {
            assert!(!covers(pattern, "mediator.>"), "{pattern}");
        }
    }
}
