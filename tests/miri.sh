#!/bin/sh
# Runs under Miri, by both aliasing models at the same time, what reaches the unsafe code: the tests of the engine, and the
# integration tests that can run there. From the workspace's root: tests/miri.sh
#
# Left out are those that run Cargo, the macros or graphviz, and the models, which have too many cases; AddressSanitizer
# runs them. What leaks is for `sanitize.sh` to find, which knows what is leaked on purpose.
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
# Those that discover all handlers, each a program of its own.
discovering='--test building --test cancellation --test clashes --test completeness --test domain_events --test executors
    --test failures --test lifetimes --test publishing --test registration'

# What builds mediators and calls little; and models.
left_out='--skip wiring:: --skip impossible:: --skip without_end --skip the_topology --skip the_data --skip of_the_wiring
    --skip with_both_places --skip one_too_many
    --skip pictures:: --skip models:: --skip model::'

# Tests ask for entropy, the time and the current folder.
under() { # MODEL
    export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks $1"
    cargo +nightly miri test --quiet -p mediator-core --lib dispatch
    # shellcheck disable=SC2086
    cargo +nightly miri test --quiet -p mediator-tests $discovering
    # shellcheck disable=SC2086
    cargo +nightly miri test --quiet -p mediator-tests --test behavior -- $left_out
    cargo +nightly miri test --quiet -p kit-tests --test kit -- recording::
}

cargo +nightly miri test --quiet --no-run -p mediator-core --lib
# shellcheck disable=SC2086
cargo +nightly miri test --quiet --no-run -p mediator-tests --test behavior $discovering
cargo +nightly miri test --quiet --no-run -p kit-tests --test kit
under -Zmiri-tree-borrows >"$CARGO_TARGET_DIR/tree-borrows" 2>&1 &
trees=$!
echo '== Miri, Stacked Borrows'
under '' &
stacks=$!
status=0
wait "$stacks" || status=$?
wait "$trees" || status=$?
echo '== Miri, Tree Borrows'
cat "$CARGO_TARGET_DIR/tree-borrows"
exit "$status"
