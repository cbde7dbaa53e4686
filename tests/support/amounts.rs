//! How much is tried: less under Miri, which interprets every instruction.

/// So many cases of a property test.
#[must_use]
pub fn cases(usual: u32) -> u32 {
    if cfg!(miri) { usual.min(3) } else { usual }
}

/// So many repetitions.
#[must_use]
pub fn many(usual: usize) -> usize {
    if cfg!(miri) { usual.min(50) } else { usual }
}
