#!/bin/sh
# Runs the tests that exercise the unsafe code under AddressSanitizer (needs the nightly toolchain) and
# valgrind. From the workspace's root: tests/sanitize.sh
#
# The standard library is the prebuilt one: memory that only it touches is not checked.
set -eu
cd "$(dirname "$0")/.."
tests='--test cancellation --test drops --test failures --test models --test publishing --test strategies'
target=$(rustc -vV | sed -n 's/^host: //p')

echo '== AddressSanitizer'
# Not the doctests and procedural macros: those run inside rustc, which is not instrumented.
export ASAN_OPTIONS=detect_leaks=1
RUSTFLAGS='-Zsanitizer=address' CARGO_TARGET_DIR=target/sanitize \
    cargo +nightly test --quiet --target "$target" -p mediator-tests $tests
RUSTFLAGS='-Zsanitizer=address' CARGO_TARGET_DIR=target/sanitize \
    cargo +nightly test --quiet --target "$target" -p mediator-core --lib

echo '== valgrind'
cargo test --quiet --no-run -p mediator-tests $tests
CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite' \
PROPTEST_CASES=16 \
    cargo test --quiet --target "$target" -p mediator-tests --test cancellation --test failures --test strategies
