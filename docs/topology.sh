#!/usr/bin/env bash
# Writes the page about topologies, with the pictures of the examples as they are now:
#     docs/topology.sh > docs/topology.md
set -euo pipefail
cd "$(dirname "$0")/.."
shop=$(cargo run --quiet -p shop -- topology)
hub=$(cargo run --quiet -p webhook-hub -- topology --format mermaid)

cat <<PAGE
<!-- Made by docs/topology.sh; edit that. -->

# Who handles what

A mediator shows its whole wiring: every event and every request that is known, even if nobody handles it, and every handler
with its crate, its place in the code, its position and the services it was given.

\`\`\`rust
# use mediator_core::prelude::*;
let mediator = Mediator::new()?;
println!("{}", mediator.topology());                // a table for the terminal
println!("{}", mediator.topology().to_mermaid());   // a picture for Markdown
println!("{}", mediator.topology().to_dot());       // a picture for Graphviz
for event in mediator.topology().events() { /* … */ }
# Ok::<(), BuildError>(())
\`\`\`

With the feature \`serde\` it serializes, too; the documentation of \`Topology\` has the shape and its version.

An application offers it in a few lines; \`webhook-hub\` has a subcommand for it:

\`\`\`sh
cargo run -p webhook-hub -- topology                # --format table|mermaid|dot|json
cargo run -p webhook-hub -- topology --format dot | dot -Tsvg > topology.svg
\`\`\`

Each crate is a group. Events are round, requests slanted, dashed if nobody handles them, and \`external\` if they go to other
services. An arrow leads to each handler, from an event with the handler's position among those of the event.

## The shop

Orders, notifications and analytics know the events and not each other. Commands and a query have one handler each.

\`\`\`mermaid
$shop
\`\`\`

## The webhook hub

Each module reacts to the webhooks that matter to it; the audit log to all of them.

\`\`\`mermaid
$hub
\`\`\`
PAGE
