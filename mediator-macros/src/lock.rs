//! Reading `Cargo.lock`: who depends on whom, also of packages whose manifests are in a registry or a repository.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Value;

/// The names of the packages that depend on `package`, themselves or by another one.
///
/// Of several versions of a package it is enough if one does: to link a crate that has no handlers does no harm.
pub(crate) fn users_of(package: &str, lock: &Value) -> BTreeSet<String> {
    let users = direct_users(lock);
    let mut found = BTreeSet::new();
    let mut waiting = vec![package];
    while let Some(used) = waiting.pop() {
        let direct = users.get(used).into_iter().flatten().copied();
        waiting.extend(direct.filter(|user| found.insert((*user).to_owned())));
    }
    found
}

/// By the name of a package, those that depend on it.
fn direct_users(lock: &Value) -> BTreeMap<&str, Vec<&str>> {
    let mut users = BTreeMap::<_, Vec<_>>::new();
    for package in lock.get("package").map_or(&[][..], Value::values) {
        let Some(name) = package.get("name").and_then(Value::text) else { continue };
        // `name`, `name version` or `name version (source)`
        let dependencies = package.get("dependencies").into_iter().flat_map(Value::texts);
        for dependency in dependencies.filter_map(|entry| entry.split(' ').next()) {
            users.entry(dependency).or_default().push(name);
        }
    }
    users
}
