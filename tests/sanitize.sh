#!/bin/sh
# Runs the tests that exercise the unsafe code under AddressSanitizer (needs the nightly toolchain) and
# valgrind. From the workspace's root: tests/sanitize.sh
#
# The standard library is the prebuilt one: memory that only it touches is not checked.
set -eu
cd "$(dirname "$0")/.."
tests='--test behavior --test cancellation --test failures --test lifetimes --test publishing'
target=$(rustc -vV | sed -n 's/^host: //p')

echo '== AddressSanitizer'
export CARGO_TARGET_DIR=target/sanitize
mkdir -p "$CARGO_TARGET_DIR"
# What a panic's payload throws while it is dropped is leaked on purpose: it could panic again. Tests forget runs on purpose.
printf '%s\n' 'leak:mediator_core::errors::panics::discard_panic' 'leak:a_forgotten_run' 'leak:Forget' 'leak:RunsWhenDropped' > "$CARGO_TARGET_DIR/leaks"
export LSAN_OPTIONS="suppressions=$PWD/$CARGO_TARGET_DIR/leaks:print_suppressions=0"
# With `--target`, procedural macros and build scripts stay as they are: they run inside rustc.
RUSTFLAGS=-Zsanitizer=address cargo +nightly test --quiet --target "$target" -p mediator-core --lib
RUSTFLAGS=-Zsanitizer=address cargo +nightly test --quiet --target "$target" -p mediator-tests $tests
RUSTFLAGS=-Zsanitizer=address cargo +nightly test --quiet --target "$target" -p kit-tests --test kit

echo '== valgrind'
# Slow: the tests with the fewest cases, and what is left is leaked on purpose or by the test harness. The programs are those of
# `cargo test --workspace`.
unset CARGO_TARGET_DIR
runner=$(echo "CARGO_TARGET_${target}_RUNNER" | tr 'a-z-' 'A-Z_')
export "$runner=valgrind --quiet --error-exitcode=1"
cargo test --quiet --workspace --test cancellation --test failures
cargo test --quiet --workspace --test behavior strategies::
cargo test --quiet -p mediator-core --lib dispatch
