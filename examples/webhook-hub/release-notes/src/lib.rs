//! Release notes: the pull requests that were merged since the release before.

mod notes;
