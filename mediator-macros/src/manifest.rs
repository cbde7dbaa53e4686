//! Reading `Cargo.toml`: the dependencies of a package and which of them use `mediator-core`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::de::{DeTable, DeValue};

use crate::lock;

const MEDIATOR_CORE: &str = "mediator-core";

/// The manifest of the package that is being compiled, and those that were looked at for it, each read once.
pub(crate) struct Manifests {
    package: PathBuf,
    read: BTreeMap<PathBuf, Rc<Manifest>>,
    /// Whether the package of a manifest uses `mediator-core`, as far as that was asked.
    users: BTreeMap<PathBuf, bool>,
    /// The packages that use `mediator-core` as the lock file has it, if that was asked.
    locked_users: Option<BTreeSet<String>>,
}

pub(crate) struct Manifest {
    path: PathBuf,
    root: Value,
}

/// What a manifest or a lock file says, as far as it matters here.
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
    Other,
}

/// One entry of one of a manifest's tables of dependencies.
pub(crate) struct Dependency<'a> {
    pub(crate) key: &'a str,
    value: &'a Value,
    kind: Kind,
    target: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Normal,
    Development,
    Build,
}

/// When a dependency is there at all.
pub(crate) enum Condition<'a> {
    Test,
    Target(&'a str),
    AnyFeature(Vec<&'a str>),
}

/// Where a dependency comes from.
pub(crate) struct Source {
    /// `None` for a dependency that is not a path, but comes from a registry or a repository.
    pub(crate) manifest: Option<Rc<Manifest>>,
    pub(crate) renamed: bool,
    package: String,
}

impl Source {
    pub(crate) fn is_mediator_core(&self) -> bool {
        self.package == MEDIATOR_CORE
    }
}

impl Manifests {
    pub(crate) fn of(package: PathBuf) -> Self {
        Self { package, read: BTreeMap::new(), users: BTreeMap::new(), locked_users: None }
    }

    /// The manifest of the package that is being compiled.
    pub(crate) fn package(&mut self) -> Result<Rc<Manifest>, String> {
        let path = self.package.clone();
        self.read(&path)
    }

    /// All files that were read.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.read.keys().map(PathBuf::as_path)
    }

    fn read(&mut self, path: &Path) -> Result<Rc<Manifest>, String> {
        let path = path.canonicalize().map_err(|error| format!("cannot find `{}`: {error}", path.display()))?;
        if let Some(manifest) = self.read.get(&path) {
            return Ok(manifest.clone());
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let table = DeTable::parse(&text).map_err(|error| format!("cannot parse `{}`: {error}", path.display()))?;
        let manifest = Rc::new(Manifest { path: path.clone(), root: Value::table(table.get_ref()) });
        self.read.insert(path, manifest.clone());
        Ok(manifest)
    }

    /// Where `dependency` of `manifest` is, by itself or by what it inherits from the workspace.
    pub(crate) fn locate(&mut self, manifest: &Manifest, dependency: &Dependency<'_>) -> Result<Source, String> {
        if !dependency.value.is_set("workspace") {
            return self.source(manifest, dependency.key, dependency.value);
        }
        let workspace = self.workspace(manifest)?;
        self.source(&workspace, dependency.key, workspace.inherited(dependency.key)?)
    }

    /// What a package calls `mediator-core` in its code, if it depends on it in any way, or is it.
    pub(crate) fn name_of_mediator_core(&mut self, manifest: &Manifest) -> Result<Option<String>, String> {
        let usual = import_name(MEDIATOR_CORE);
        let is_itself = manifest.name() == Some(MEDIATOR_CORE);
        // Whatever package has that name, there is a `::mediator_core`.
        if is_itself || manifest.all_dependencies().any(|dependency| import_name(dependency.key) == usual) {
            return Ok(Some(usual));
        }
        for dependency in manifest.all_dependencies() {
            if self.package_of(manifest, &dependency)? == MEDIATOR_CORE {
                return Ok(Some(import_name(dependency.key)));
            }
        }
        Ok(None)
    }

    /// What the code of a package may call `mediator-core` under every condition.
    pub(crate) fn unconditional_name_of_mediator_core(&mut self, manifest: &Manifest) -> Option<String> {
        let found = manifest.dependencies().find(|dependency| {
            manifest.conditions(dependency).is_empty()
                && self.locate(manifest, dependency).is_ok_and(|source| source.is_mediator_core())
        });
        found.map(|dependency| import_name(dependency.key))
    }

    /// The package that a dependency is, whatever the manifest calls it.
    fn package_of(&mut self, manifest: &Manifest, dependency: &Dependency<'_>) -> Result<String, String> {
        let workspace;
        let value = if dependency.value.is_set("workspace") {
            workspace = self.workspace(manifest)?;
            workspace.inherited(dependency.key)?
        } else {
            dependency.value
        };
        Ok(value.get("package").and_then(Value::text).unwrap_or(dependency.key).to_owned())
    }

    fn source(&mut self, manifest: &Manifest, key: &str, value: &Value) -> Result<Source, String> {
        let package = value.get("package").and_then(Value::text);
        let path = value.get("path").and_then(Value::text);
        let path = path.map(|path| manifest.directory().join(path).join("Cargo.toml"));
        Ok(Source {
            manifest: path.map(|path: PathBuf| self.read(&path)).transpose()?,
            renamed: package.is_some(),
            package: package.unwrap_or(key).to_owned(),
        })
    }

    /// The manifest of the workspace that a package belongs to.
    fn workspace(&mut self, manifest: &Manifest) -> Result<Rc<Manifest>, String> {
        if let Some(root) = manifest.entry(&["package", "workspace"]).and_then(Value::text) {
            return self.read(&manifest.directory().join(root).join("Cargo.toml"));
        }
        for directory in manifest.directory().ancestors() {
            let path = directory.join("Cargo.toml");
            if path.is_file() {
                let candidate = self.read(&path)?;
                if candidate.entry(&["workspace"]).is_some() {
                    return Ok(candidate);
                }
            }
        }
        Err("it is inherited, but no workspace is found above".to_owned())
    }

    /// Whether a package depends on `mediator-core`, itself or by another package.
    pub(crate) fn uses_mediator_core(&mut self, manifest: &Manifest) -> bool {
        if let Some(known) = self.users.get(&manifest.path) {
            return *known;
        }
        self.users.insert(manifest.path.clone(), false);
        let uses = manifest.dependencies().filter(|dependency| dependency.kind == Kind::Normal).any(|dependency| {
            // What cannot be read here is Cargo's to complain about.
            self.locate(manifest, &dependency).is_ok_and(|source| self.reaches_mediator_core(&source))
        });
        self.users.insert(manifest.path.clone(), uses);
        uses
    }

    fn reaches_mediator_core(&mut self, source: &Source) -> bool {
        source.is_mediator_core()
            || match &source.manifest {
                Some(manifest) => self.uses_mediator_core(manifest),
                None => self.locked_users().contains(&source.package),
            }
    }

    /// The packages that use `mediator-core`, also those that come from a registry or a repository.
    fn locked_users(&mut self) -> &BTreeSet<String> {
        if self.locked_users.is_none() {
            let users = self.locks().iter().flat_map(|lock| lock::users_of(MEDIATOR_CORE, &lock.root)).collect();
            self.locked_users = Some(users);
        }
        self.locked_users.get_or_insert_default()
    }

    /// The lock file of the workspace, and that of the package, which has one if it is not a member.
    fn locks(&mut self) -> Vec<Rc<Manifest>> {
        let Ok(package) = self.package() else { return Vec::new() };
        let workspace = self.workspace(&package).ok();
        let manifests = [Some(package), workspace].into_iter().flatten();
        manifests.filter_map(|manifest| self.read(&manifest.directory().join("Cargo.lock")).ok()).collect()
    }
}

impl Manifest {
    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn entry(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(&self.root, |value, key| value.get(key))
    }

    /// The name of the package.
    pub(crate) fn name(&self) -> Option<&str> {
        self.entry(&["package", "name"])?.text()
    }

    /// The name of the library that others can link, if the package has one.
    pub(crate) fn library(&self) -> Option<String> {
        let lib = self.entry(&["lib"]);
        if lib.is_none() && !self.directory().join("src/lib.rs").is_file() {
            return None;
        }
        let mut kinds = lib.and_then(|lib| lib.get("crate-type")).map(Value::texts);
        let linkable = kinds.as_mut().is_none_or(|kinds| kinds.any(|kind| matches!(kind, "lib" | "rlib" | "dylib")));
        if !linkable || lib.is_some_and(|lib| lib.is_set("proc-macro")) {
            return None;
        }
        let name = self.entry(&["lib", "name"]).or_else(|| self.entry(&["package", "name"]))?.text()?;
        Some(import_name(name))
    }

    /// What the workspace says of a dependency that its members may inherit.
    fn inherited(&self, key: &str) -> Result<&Value, String> {
        let inherited = self.entry(&["workspace", "dependencies", key]);
        inherited.ok_or_else(|| "the workspace does not list it under `[workspace.dependencies]`".to_owned())
    }

    /// What the code may name, other than that of a build script.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.all_dependencies().filter(|dependency| dependency.kind != Kind::Build)
    }

    fn all_dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        let targets = self.entry(&["target"]).into_iter().flat_map(Value::entries);
        let tables = std::iter::once((None, &self.root)).chain(targets.map(|(target, table)| (Some(target), table)));
        let kinds = tables.flat_map(|(target, table)| {
            [
                (target, Kind::Normal, table.get("dependencies")),
                (target, Kind::Development, table.get("dev-dependencies")),
                (target, Kind::Build, table.get("build-dependencies")),
            ]
        });
        kinds.flat_map(|(target, kind, entries)| {
            let entries = entries.into_iter().flat_map(Value::entries);
            entries.map(move |(key, value)| Dependency { key, value, kind, target })
        })
    }

    pub(crate) fn conditions<'a>(&'a self, dependency: &Dependency<'a>) -> Vec<Condition<'a>> {
        let optional = dependency.value.is_set("optional");
        let test = (dependency.kind == Kind::Development).then_some(Condition::Test);
        let target = dependency.target.map(Condition::Target);
        let features = optional.then(|| Condition::AnyFeature(self.features_that_enable(dependency.key)));
        test.into_iter().chain(target).chain(features).collect()
    }

    /// The features that bring in the optional dependency `key`.
    fn features_that_enable<'a>(&'a self, key: &'a str) -> Vec<&'a str> {
        let features: Vec<_> = self.entry(&["features"]).into_iter().flat_map(Value::entries).collect();
        let explicit = |entry: &str| entry.strip_prefix("dep:") == Some(key);
        let with_feature = |entry: &str| entry.split_once('/').is_some_and(|(dependency, _)| dependency == key);
        // Without `dep:` in any feature, there is one of the dependency's own name.
        let implicit = !features.iter().any(|(_, entries)| entries.texts().any(explicit));
        let enabling =
            features.iter().filter(|(_, entries)| entries.texts().any(|entry| explicit(entry) || with_feature(entry)));
        enabling.map(|(name, _)| *name).chain(implicit.then_some(key)).collect()
    }
}

fn import_name(package: &str) -> String {
    package.replace('-', "_")
}

impl Value {
    fn new(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Array(values) => Self::List(values.iter().map(|value| Self::new(value.get_ref())).collect()),
            DeValue::Table(table) => Self::table(table),
            _ => Self::Other,
        }
    }

    fn table(table: &DeTable<'_>) -> Self {
        let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), Self::new(value.get_ref())));
        Self::Table(entries.collect())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Table(entries) => entries.get(key),
            _ => None,
        }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries = match self {
            Self::Table(entries) => Some(entries),
            _ => None,
        };
        entries.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What is in a list.
    pub(crate) fn values(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    /// The texts in a list.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.values().iter().filter_map(Self::text)
    }

    /// Whether there is `key = true`.
    fn is_set(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Self::Flag(true)))
    }
}
