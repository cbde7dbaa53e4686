//! How the modules' findings reach the user.

use indexmap::IndexMap;
use mediator_core::prelude::*;
use parking_lot::Mutex;
use serde::{Serialize, Serializer};

/// What the modules found, as `Arc<Report>`; the program provides the one that it shows.
#[service]
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Report {
    #[inject(default)]
    #[serde(serialize_with = "unlocked")]
    modules: Mutex<IndexMap<&'static str, Findings>>,
}

type Findings = IndexMap<String, Finding>;

/// One thing that a module found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Finding {
    /// So many of them.
    Count(usize),
    /// In words.
    Text(String),
}

impl Report {
    /// Says what `module` found; what it said before under this title is replaced.
    pub fn set(&self, module: &'static str, title: impl Into<String>, finding: impl Into<Finding>) {
        self.modules.lock().entry(module).or_default().insert(title.into(), finding.into());
    }

    /// Forgets all that was found.
    pub fn clear(&self) {
        self.modules.lock().clear();
    }

    /// What a module found under a title.
    #[must_use]
    pub fn get(&self, module: &str, title: &str) -> Option<Finding> {
        self.modules.lock().get(module)?.get(title).cloned()
    }

    /// Calls `visit` with each module and what it found, in the order of their first findings.
    pub fn for_each(&self, mut visit: impl FnMut(&str, &IndexMap<String, Finding>)) {
        self.modules.lock().iter().for_each(|(module, findings)| visit(module, findings));
    }
}

fn unlocked<S: Serializer>(
    modules: &Mutex<IndexMap<&'static str, Findings>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    modules.lock().serialize(serializer)
}

impl From<usize> for Finding {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<String> for Finding {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Finding {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
