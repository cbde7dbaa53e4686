#!/bin/sh
# Runs under Miri what can run there, under both aliasing models: the tests of the engine itself and every
# integration test that needs no other process and no clock. From the workspace's root: tests/miri.sh
set -eu
cd "$(dirname "$0")/.."
if ! rustup component add miri rust-src --toolchain nightly; then
    echo '!! Miri cannot be installed for the nightly toolchain: IT DOES NOT CHECK THE UNSAFE CODE' >&2
    exit 0
fi
# Or insta would run cargo to find it.
export INSTA_WORKSPACE_ROOT="$PWD"
export CARGO_TARGET_DIR=target/miri
tests='--test behavior --test building --test cancellation --test failures --test lifetimes --test publishing --test registration'
for model in '' -Zmiri-tree-borrows; do
    echo "== Miri $model"
    # `inventory` asks for constructors before `main`, proptest for entropy and the current folder.
    export MIRIFLAGS="-Zmiri-disable-isolation $model"
    cargo +nightly miri test --quiet -p mediator-core --lib dispatch
    cargo +nightly miri test --quiet -p mediator-tests $tests
done
