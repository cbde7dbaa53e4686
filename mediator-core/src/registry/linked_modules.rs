//! Where `link_modules!()` stands.

inventory::collect!(LinkedModules);

/// A package with a `link_modules!()`, which `assert_modules_linked` does not advise again.
#[doc(hidden)]
#[derive(Debug)]
pub struct LinkedModules {
    package: &'static str,
}

impl LinkedModules {
    #[must_use]
    pub const fn of(package: &'static str) -> Self {
        Self { package }
    }

    /// Whether a `link_modules!()` of the package is linked into this program.
    #[must_use]
    pub fn stands_in(package: &str) -> bool {
        inventory::iter::<Self>().any(|linked| linked.package == package)
    }
}
