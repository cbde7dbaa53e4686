#!/bin/sh
# Runs under Miri what can run there, with both models of what references may do: the tests of the engine itself and every
# integration test that needs no other process and no clock. From the workspace's root: tests/miri.sh
set -eu
cd "$(dirname "$0")/.."
if ! rustup component add miri rust-src --toolchain nightly; then
    echo '!! Miri is not to be had for the nightly toolchain: THE UNSAFE CODE IS NOT CHECKED BY IT' >&2
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
