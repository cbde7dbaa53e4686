//! What an application can check about itself in its tests.

use std::collections::{HashMap, HashSet, VecDeque};
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{
    DependencyKind, Metadata, MetadataCommand, Node, NodeDep, Package, PackageId, Target, TargetKind,
};

use crate::registry::event_registration::declared_events;
use crate::registry::registration::HandlerRegistration;
use crate::services::module_service::ModuleServices;

/// Fails if a crate that this package depends on has handlers that are not linked into this
/// program, as happens to a crate that no code names.
///
/// ```ignore
/// mediator_core::link_modules!();
///
/// #[test]
/// fn no_module_is_missing() {
///     mediator_core::testing::assert_modules_linked();
/// }
/// ```
///
/// It compares the registrations that it finds with what `cargo metadata` says about the package
/// whose test is running: the package's own library, its dependencies, development dependencies
/// among them, and theirs, for the platform of this machine. So call it in a test, which Cargo
/// or nextest runs.
///
/// A crate is expected to be linked if it depends on `mediator-core` and a line of its library's
/// sources says `event_handler`, comments and `mod tests` apart: there is nothing to lose in one
/// that only declares events or publishes them. A crate whose handlers are all conditional, and off,
/// can be excused in the manifest of the package that is tested:
///
/// ```toml
/// [package.metadata.mediator-core]
/// without-handlers = ["billing"]
/// ```
///
/// Optional dependencies are expected if the package's default features bring them in; a test that
/// also runs without those should be under `#[cfg(feature = "default")]`.
///
/// # Panics
///
/// If a crate is absent, with the names of all that are and the lines that would link them; or if
/// `cargo metadata` fails.
#[track_caller]
pub fn assert_modules_linked() {
    let missing = match missing_modules() {
        Ok(missing) => missing,
        Err(error) => panic!("the modules of this program cannot be checked: {error}"),
    };
    assert!(missing.is_empty(), "{}", Report(&missing));
}

/// A crate that is absent.
struct Missing {
    crate_name: String,
    way: Way,
}

/// How the package depends on a crate: each package on the way with the name by which it depends
/// on the next one. Empty for the package itself.
type Way = Vec<(String, String)>;

struct Report<'a>(&'a [Missing]);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("crates with handlers that this package depends on are not linked into this program:")?;
        for Missing { crate_name, way } in self.0 {
            let first = way.first().map_or(crate_name, |(_, name)| name);
            write!(f, "\n- `{crate_name}`: `use {first} as _;`")?;
            way.iter().skip(1).try_for_each(|(by, name)| write!(f, ", and `use {name} as _;` in `{by}`"))?;
        }
        f.write_str("\nadd these lines, or `mediator_core::link_modules!();` instead of all of them")
    }
}

fn missing_modules() -> Result<Vec<Missing>, String> {
    let linked: HashSet<_> = inventory::iter::<HandlerRegistration>()
        .map(|handler| handler.info().crate_name())
        .chain(declared_events().into_iter().map(|event| event.crate_name()))
        .chain(ModuleServices::discovered().into_iter().map(|service| service.info().crate_name()))
        .collect();
    let metadata = metadata()?;
    let packages = Packages::new(&metadata)?;
    let users = packages.users_of_mediator_core();
    let mut missing = Vec::new();
    for (package, way) in packages.below_root() {
        let Some(library) = library(package).filter(|_| users.contains(&package.id)) else { continue };
        let crate_name = library.name.replace('-', "_");
        let excused = packages.is_excused(&crate_name);
        if !linked.contains(crate_name.as_str()) && !excused && has_handlers(package, library)? {
            missing.push(Missing { crate_name, way });
        }
    }
    Ok(missing)
}

/// What Cargo says about the package whose test is running.
fn metadata() -> Result<Metadata, String> {
    let directory = env::var_os("CARGO_MANIFEST_DIR").ok_or("it is not Cargo or nextest that runs this test")?;
    let mut command = MetadataCommand::new();
    command.manifest_path(Path::new(&directory).join("Cargo.toml"));
    command.other_options(["--filter-platform".to_owned(), this_platform()?]);
    command.exec().map_err(|error| error.to_string())
}

/// The triple of the machine, from the line `host: …` of Cargo's description of itself.
fn this_platform() -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).arg("-vV").output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "cargo does not tell its platform".to_owned())
}

/// A package as Cargo knows it, and what it depends on.
struct Packages<'a> {
    root: &'a PackageId,
    by_id: HashMap<&'a PackageId, (&'a Package, &'a Node)>,
}

impl<'a> Packages<'a> {
    fn new(metadata: &'a Metadata) -> Result<Self, String> {
        let resolve = metadata.resolve.as_ref().ok_or("cargo metadata tells no dependencies")?;
        let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let packages = metadata.packages.iter();
        let by_id = packages.filter_map(|package| Some((&package.id, (package, *nodes.get(&package.id)?))));
        let root = resolve.root.as_ref().ok_or("cargo metadata tells no package")?;
        Ok(Self { root, by_id: by_id.collect() })
    }

    /// Whether the root says that a crate has no handlers, whatever its sources look like.
    fn is_excused(&self, crate_name: &str) -> bool {
        let excused = self.by_id.get(self.root).map(|(root, _)| &root.metadata["mediator-core"]["without-handlers"]);
        excused.and_then(|excused| excused.as_array()).is_some_and(|names| names.iter().any(|name| name == crate_name))
    }

    /// The root and all that it depends on, each with the way there; near ones first.
    fn below_root(&self) -> Vec<(&'a Package, Way)> {
        let mut seen = HashSet::from([self.root]);
        let mut found = Vec::new();
        let mut waiting = VecDeque::from([(self.root, Way::new())]);
        while let Some((id, way)) = waiting.pop_front() {
            let Some((package, node)) = self.by_id.get(id) else { continue };
            for dependency in &node.deps {
                let linked = is_of_kind(dependency, DependencyKind::Normal)
                    || id == self.root && is_of_kind(dependency, DependencyKind::Development);
                if linked && seen.insert(&dependency.pkg) {
                    let step = (package.name.to_string(), dependency.name.clone());
                    waiting.push_back((&dependency.pkg, way.iter().cloned().chain([step]).collect()));
                }
            }
            found.push((*package, way));
        }
        found
    }

    /// The packages that depend on `mediator-core`, however far below it is.
    fn users_of_mediator_core(&self) -> HashSet<&'a PackageId> {
        let cores = self.by_id.values().filter(|(package, _)| package.name.as_str() == env!("CARGO_PKG_NAME"));
        let mut waiting: Vec<_> = cores.map(|(package, _)| &package.id).collect();
        let mut users = HashSet::new();
        while let Some(used) = waiting.pop() {
            let depends = |node: &Node| {
                node.deps
                    .iter()
                    .any(|dependency| dependency.pkg == *used && is_of_kind(dependency, DependencyKind::Normal))
            };
            let direct = self.by_id.values().filter(|(_, node)| depends(node)).map(|(package, _)| &package.id);
            waiting.extend(direct.filter(|user| users.insert(*user)));
        }
        users
    }
}

fn is_of_kind(dependency: &NodeDep, kind: DependencyKind) -> bool {
    dependency.dep_kinds.iter().any(|found| found.kind == kind)
}

/// The library that other crates can link, if there is one.
fn library(package: &Package) -> Option<&Target> {
    let linkable = |target: &Target| {
        target.kind.iter().any(|kind| matches!(kind, TargetKind::Lib | TargetKind::RLib | TargetKind::DyLib))
    };
    package.targets.iter().find(|target| linkable(target))
}

/// Whether the sources of the library say `event_handler`, comments and tests apart.
fn has_handlers(package: &Package, library: &Target) -> Result<bool, String> {
    let others = package.targets.iter().filter(|target| target.src_path != library.src_path);
    let others: HashSet<&Path> = others.map(|target| target.src_path.as_std_path()).collect();
    let mut waiting: Vec<PathBuf> = library.src_path.parent().map(Into::into).into_iter().collect();
    while let Some(directory) = waiting.pop() {
        let unreadable =
            |error: std::io::Error| format!("cannot read the sources in `{}`: {error}", directory.display());
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if path.file_stem().is_some_and(|stem| stem == "tests") || others.contains(&*path) {
                continue;
            } else if path.is_dir() {
                waiting.push(path);
            } else if is_source && says_event_handler(&fs::read_to_string(&path).map_err(unreadable)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn says_event_handler(source: &str) -> bool {
    // Where a file has tests, they are at its end.
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.any(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "event_handler"))
}
