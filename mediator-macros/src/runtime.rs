//! What the crate that is being compiled calls the runtime, as its manifest says.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::manifest::Manifests;

/// As code names it: `mediator_core`.
pub(crate) const USUAL_NAME: &str = "mediator_core";

/// The manifest that was read last, if the name there is the usual one.
///
/// Only the last, as an editor expands the macros of many crates in one process; and only in that case, as this process
/// outlives the mending of a manifest.
static IN_ORDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// `None` if `mediator-core` is not among the dependencies; an error if nobody knows.
pub(crate) fn name() -> Result<Option<String>, String> {
    // Unlike `CARGO_MANIFEST_DIR`, set by nobody but Cargo. Of a script it is the script, which cannot be read here.
    let path = env::var_os("CARGO_MANIFEST_PATH").map(PathBuf::from).ok_or("there is no manifest without Cargo")?;
    let mut in_order = IN_ORDER.lock().map_err(|error| error.to_string())?;
    if in_order.as_ref() == Some(&path) {
        return Ok(Some(USUAL_NAME.to_owned()));
    }
    let name = read(&path)?;
    *in_order = name.as_ref().is_some_and(|name| name == USUAL_NAME).then_some(path);
    Ok(name)
}

fn read(manifest: &Path) -> Result<Option<String>, String> {
    let mut manifests = Manifests::of(manifest.to_owned());
    let manifest = manifests.package()?;
    manifests.name_of_mediator_core(&manifest)
}
