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

/// The cases of a list; under Miri the first and every seventh behind it.
pub fn some<T: Copy>(all: &[T]) -> impl Iterator<Item = T> {
    all.iter().copied().step_by(if cfg!(miri) { 7 } else { 1 })
}
