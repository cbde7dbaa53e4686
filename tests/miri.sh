#!/bin/sh
# Runs under Miri, by both aliasing models at the same time, what reaches the unsafe code: the tests of the engine and the
# integration tests about behaviors, lending, recorders, observers, requests, wakers, panics, cancellation and lifetimes. All of them take more than half
# an hour there; AddressSanitizer runs the others. From the workspace's root: tests/miri.sh
set -eu
cd "$(dirname "$0")/.."
if ! rustup component add miri rust-src --toolchain nightly; then
    echo '!! Miri cannot be installed for the nightly toolchain: IT DOES NOT CHECK THE UNSAFE CODE' >&2
    exit 0
fi
# Or insta would run cargo to find it.
export INSTA_WORKSPACE_ROOT="$PWD"
export CARGO_TARGET_DIR=target/miri
# Miri would interpret how a backtrace is made, for longer than the tests.
export RUST_BACKTRACE=0
tests='--test behavior --test cancellation --test lifetimes'

# What builds mediators, which takes Miri seconds each, and calls little.
built_only='--skip wiring:: --skip impossible:: --skip without_end --skip the_topology --skip the_data --skip of_the_wiring
    --skip with_both_places --skip one_too_many'

# Tests ask for entropy, the time and the current folder.
# shellcheck disable=SC2086
under() { # MODEL
    MIRIFLAGS="-Zmiri-disable-isolation $1" cargo +nightly miri test --quiet -p mediator-core --lib dispatch
    MIRIFLAGS="-Zmiri-disable-isolation $1" cargo +nightly miri test --quiet -p mediator-tests --test cancellation --test lifetimes
    MIRIFLAGS="-Zmiri-disable-isolation $1" cargo +nightly miri test --quiet -p mediator-tests --test behavior -- \
        behaviors:: lending:: observers:: panics:: requests:: wakers:: --skip a_forgotten_run $built_only
    MIRIFLAGS="-Zmiri-disable-isolation $1" cargo +nightly miri test --quiet -p kit-tests --test kit -- recording::
    # What is forgotten is leaked.
    MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks $1" cargo +nightly miri test --quiet -p mediator-tests --test behavior -- \
        a_forgotten_run
}

cargo +nightly miri test --quiet --no-run -p mediator-core --lib
# shellcheck disable=SC2086
cargo +nightly miri test --quiet --no-run -p mediator-tests $tests
under -Zmiri-tree-borrows >"$CARGO_TARGET_DIR/tree-borrows" 2>&1 &
trees=$!
echo '== Miri, Stacked Borrows'
under ''
echo '== Miri, Tree Borrows'
status=0
wait "$trees" || status=$?
cat "$CARGO_TARGET_DIR/tree-borrows"
exit "$status"
