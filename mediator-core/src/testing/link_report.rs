//! What is said of crates that are not linked.

use std::fmt;

use cargo_metadata::PackageId;

/// A crate that is absent.
pub(super) struct Missing {
    pub(super) crate_name: String,
    pub(super) way: Way,
    /// Whether `link_modules!()` in the package would link the first crate on the way.
    pub(super) is_within_reach: bool,
}

impl Missing {
    /// What links the crate; `has_macro` has linked the first one on the way, if that is within its reach.
    fn lines(&self, has_macro: bool) -> Vec<String> {
        let first = self.way.first().map_or(&self.crate_name, |(_, name)| name);
        let is_linked = has_macro && self.is_within_reach && self.way.len() > 1;
        let line = (!is_linked).then(|| format!("`use {first} as _;`"));
        let others = self.way.iter().skip(1).map(|(by, name)| format!("`use {name} as _;` in `{by}`"));
        line.into_iter().chain(others).collect()
    }
}

/// How the package depends on a crate: each package on the way with the name by which it depends
/// on the next one. Empty for the package itself.
pub(super) type Way = Vec<(String, String)>;

/// A crate whose handlers register with another copy of `mediator-core`.
pub(super) struct Stranger {
    pub(super) crate_name: String,
    pub(super) runtime: PackageId,
}

pub(super) struct Report {
    pub(super) missing: Vec<Missing>,
    pub(super) strangers: Vec<Stranger>,
    /// The copy of `mediator-core` that this code is of.
    pub(super) runtime: PackageId,
    /// Whether there is a `link_modules!()` in the package.
    pub(super) has_macro: bool,
}

impl Report {
    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.strangers.is_empty()
    }

    fn write_missing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("crates with handlers that this package depends on are not linked into this program:")?;
        for missing in &self.missing {
            write!(f, "\n- `{}`: {}", missing.crate_name, missing.lines(self.has_macro).join(", and "))?;
        }
        write!(f, "\n{}", self.advice())
    }

    fn write_strangers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "crates that this package depends on register their handlers with another copy of `mediator-core`:",
        )?;
        for Stranger { crate_name, runtime } in &self.strangers {
            write!(f, "\n- `{crate_name}`: `{runtime}`")?;
        }
        let runtime = &self.runtime;
        write!(
            f,
            "\nthis package uses `{runtime}`; let all depend on the same one \
             (`cargo tree --duplicates` shows who depends on which)"
        )
    }

    /// What follows the lines.
    fn advice(&self) -> &'static str {
        let within_reach = self.missing.iter().filter(|missing| missing.is_within_reach).count();
        if self.has_macro {
            "add these lines: `link_modules!()` links what is a path dependency of this package, and nothing else"
        } else if within_reach == 0 {
            "add these lines"
        } else if within_reach == self.missing.len() {
            "add these lines, or `mediator_core::link_modules!();` instead of all of them"
        } else {
            "add these lines, or `mediator_core::link_modules!();` instead of those for path dependencies"
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.missing.is_empty() {
            self.write_missing(f)?;
        }
        if !self.strangers.is_empty() {
            f.write_str(if self.missing.is_empty() { "" } else { "\n" })?;
            self.write_strangers(f)?;
        }
        Ok(())
    }
}
