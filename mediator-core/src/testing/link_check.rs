//! What an application can check about itself in its tests.

use std::collections::{HashMap, HashSet, VecDeque};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{
    DependencyKind, Metadata, MetadataCommand, Node, NodeDep, Package, PackageId, Target, TargetKind,
};

use super::link_report::{Missing, Report, Stranger, Way};
use crate::registry::linked_modules::LinkedModules;
use crate::registry::program;
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
/// sources says `event_handler` or `event_handlers`, comments and `mod tests` apart: there is nothing to lose in one
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
/// If a crate is absent, with the names of all that are and the lines that would link them; if one registers its
/// handlers with another copy of `mediator-core`, of another version or source, where nothing here finds them; or if
/// `cargo metadata` fails.
#[track_caller]
pub fn assert_modules_linked() {
    let report = match check() {
        Ok(report) => report,
        Err(error) => panic!("the modules of this program cannot be checked: {error}"),
    };
    assert!(report.is_empty(), "{report}");
}

fn check() -> Result<Report, String> {
    let metadata = metadata()?;
    let packages = Packages::new(&metadata)?;
    let runtimes = packages.runtimes();
    let own = *runtimes.first().ok_or("cargo metadata tells no `mediator-core`")?;
    let users = packages.users(&runtimes);
    let linked = linked_crates();
    let has_macro = packages.by_id.get(packages.root).is_some_and(|(root, _)| LinkedModules::stands_in(&root.name));
    let mut report = Report { missing: Vec::new(), strangers: Vec::new(), runtime: own.clone(), has_macro };
    for Below { package, way, is_within_reach } in packages.below_root() {
        let Some((library, runtime)) = library(package).zip(users.get(&package.id)) else { continue };
        let crate_name = library.name.replace('-', "_");
        if linked.contains(&*crate_name) || packages.is_excused(&crate_name) || !has_handlers(package, library)? {
            continue;
        } else if *runtime == own {
            report.missing.push(Missing { crate_name, way, is_within_reach });
        } else {
            report.strangers.push(Stranger { crate_name, runtime: (*runtime).clone() });
        }
    }
    Ok(report)
}

/// The crates that have registered something in this program.
fn linked_crates() -> HashSet<&'static str> {
    inventory::iter::<HandlerRegistration>()
        .map(|handler| handler.info().crate_name())
        .chain(program::events().map(|event| event.crate_name()))
        .chain(ModuleServices::discovered().iter().map(|service| service.info().crate_name()))
        .collect()
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

/// The root or a package that it depends on.
struct Below<'a> {
    package: &'a Package,
    way: Way,
    is_within_reach: bool,
}

/// The packages as Cargo knows them, each with what it depends on.
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

    /// The copies of `mediator-core`, the one of this code first.
    fn runtimes(&self) -> Vec<&'a PackageId> {
        let is_own =
            |package: &Package| package.manifest_path.parent().is_some_and(|it| it == env!("CARGO_MANIFEST_DIR"));
        let below = self.below_root().into_iter().map(|below| below.package);
        let mut runtimes: Vec<_> = below.filter(|package| package.name.as_str() == env!("CARGO_PKG_NAME")).collect();
        // Of two with one manifest, the near one.
        runtimes.sort_by_key(|package| !is_own(package));
        runtimes.into_iter().map(|package| &package.id).collect()
    }

    /// The packages that depend on a copy of `mediator-core`, however far below it is; on the first one if on several.
    fn users(&self, runtimes: &[&'a PackageId]) -> HashMap<&'a PackageId, &'a PackageId> {
        let mut users = HashMap::new();
        for runtime in runtimes {
            for user in self.users_of(runtime) {
                users.entry(user).or_insert(*runtime);
            }
        }
        users
    }

    /// Whether the root says that a crate has no handlers, whatever its sources look like.
    fn is_excused(&self, crate_name: &str) -> bool {
        let excused = self.by_id.get(self.root).map(|(root, _)| &root.metadata["mediator-core"]["without-handlers"]);
        excused.and_then(|excused| excused.as_array()).is_some_and(|names| names.iter().any(|name| name == crate_name))
    }

    /// The root and all that it depends on; near ones first.
    fn below_root(&self) -> Vec<Below<'a>> {
        let mut seen = HashSet::from([self.root]);
        let mut found = Vec::new();
        // The library of the root itself is linked by the macro as well.
        let mut waiting = VecDeque::from([(self.root, Way::new(), true)]);
        while let Some((id, way, is_within_reach)) = waiting.pop_front() {
            let Some((package, node)) = self.by_id.get(id) else { continue };
            for dependency in &node.deps {
                let linked = is_of_kind(dependency, DependencyKind::Normal)
                    || id == self.root && is_of_kind(dependency, DependencyKind::Development);
                if linked && seen.insert(&dependency.pkg) {
                    let step = (package.name.to_string(), dependency.name.clone());
                    let is_within_reach = is_within_reach && (id != self.root || self.is_path(&dependency.pkg));
                    let way = way.iter().cloned().chain([step]).collect();
                    waiting.push_back((&dependency.pkg, way, is_within_reach));
                }
            }
            found.push(Below { package, way, is_within_reach });
        }
        found
    }

    /// Whether a package comes from neither a registry nor a repository.
    fn is_path(&self, id: &PackageId) -> bool {
        self.by_id.get(id).is_some_and(|(package, _)| package.source.is_none())
    }

    fn users_of(&self, package: &'a PackageId) -> HashSet<&'a PackageId> {
        let mut waiting = vec![package];
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

/// Whether the sources of the library say `event_handler` or `event_handlers`, comments and tests apart.
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
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut words = lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.any(|word| ["event_handler", "event_handlers"].contains(&word))
}
