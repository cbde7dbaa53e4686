//! Builds one program twice, with mediator's macros and by hand, and compares what that costs.
//!
//! The program: 500 events and 2,000 handlers in 20 crates, each handler with an injected service.
//! `cargo run --release -- [ROUNDS] > COMPILE-COST.md` generates both workspaces under
//! `target/compile-cost`, builds them in turn, and prints what BENCHMARKS.md includes. Needs
//! `cargo install cargo-llvm-lines`.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::program::{HANDLERS, Style};

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(3), |rounds| rounds.parse())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compile-cost");
    let sides = [Side::generate(&root, Style::Macros)?, Side::generate(&root, Style::ByHand)?];

    println!("| 500 events, 2,000 handlers, 20 crates | macros | by hand | ratio |");
    println!("|---|---|---|---|");
    for (what, arguments) in
        [("`cargo check`", "check"), ("`cargo build`", "build"), ("`cargo build --release`", "build --release")]
    {
        compare_times(what, arguments, &sides, rounds)?;
    }
    compare(
        "LLVM lines per handler, debug",
        sides.each_ref().map(|side| Ok(side.llvm_lines()? / program::HANDLERS_PER_CRATE as f64)),
    );
    compare("binary size per handler, release, stripped, bytes", sides.each_ref().map(Side::bytes_per_handler));
    println!();
    pairs(&root, rounds)?;
    clean_builds(&root, rounds)?;
    println!(
        "\nThe ten costliest functions of a module crate with 100 handlers, in lines of LLVM IR (debug):\n\n```text"
    );
    sides[0]
        .llvm_report()?
        .lines()
        .filter(|line| !line.contains("(TOTAL)"))
        .take(12)
        .for_each(|line| println!("{line}"));
    println!("```");
    Ok(())
}

/// One of the two workspaces.
struct Side {
    folder: PathBuf,
    style: Style,
}

impl Side {
    fn generate(root: &Path, style: Style) -> Result<Self> {
        let folder = root.join(style.name());
        for (path, text) in program::files(style) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs::write(&path, text)?;
        }
        Ok(Self { folder, style })
    }

    /// How long a build of the crates that are timed takes when what they depend on is built already.
    fn time(&self, arguments: &str) -> Result<Duration> {
        let packages: String = program::crates(self.style).iter().map(|name| format!(" --package {name}")).collect();
        let build = format!("{arguments}{packages}");
        self.cargo(&build)?;
        let packages = packages.split_whitespace();
        let status =
            cargo(&self.folder).arg("clean").arg("--quiet").args(packages).args(profile(arguments)).status()?;
        ensure!(status.success(), "`cargo clean` failed in {}", self.folder.display());
        let start = Instant::now();
        self.cargo(&build)?;
        Ok(start.elapsed())
    }

    fn cargo(&self, arguments: &str) -> Result<()> {
        let status = cargo(&self.folder).args(arguments.split(' ')).arg("--quiet").status()?;
        ensure!(status.success(), "`cargo {arguments}` failed in {}", self.folder.display());
        Ok(())
    }

    fn llvm_lines(&self) -> Result<f64> {
        let report = self.llvm_report()?;
        let total = report.lines().find(|line| line.contains("(TOTAL)")).context("a line of totals")?;
        Ok(total.split_whitespace().next().context("a number of lines")?.parse()?)
    }

    /// The lines of LLVM IR of one module crate, function by function, most first.
    fn llvm_report(&self) -> Result<String> {
        let output = cargo(&self.folder).args(["llvm-lines", "-p", "module_00", "--lib"]).output()?;
        ensure!(output.status.success(), "`cargo llvm-lines` failed; `cargo install cargo-llvm-lines`");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn bytes_per_handler(&self) -> Result<f64> {
        self.cargo("build --release")?;
        Ok(fs::metadata(self.folder.join("target/release/app"))?.len() as f64 / HANDLERS as f64)
    }
}

fn compare_times(what: &str, arguments: &str, sides: &[Side; 2], rounds: usize) -> Result<()> {
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (side, seconds) in sides.iter().zip(&mut seconds) {
            seconds.push(side.time(arguments)?.as_secs_f64());
        }
    }
    print_ratio(what, " s", &seconds);
    Ok(())
}

/// A request and its handler, next to an event and its handler.
fn pairs(root: &Path, rounds: usize) -> Result<()> {
    let sides = [Side::generate(root, Style::RequestPairs)?, Side::generate(root, Style::EventPairs)?];
    println!("| 2,000 pairs with a handler, 20 crates of modules | requests | events | ratio |");
    println!("|---|---|---|---|");
    for (what, arguments) in [("`cargo check`", "check"), ("`cargo build`", "build")] {
        compare_times(what, arguments, &sides, rounds)?;
    }
    println!();
    Ok(())
}

/// What users wait for once: the runtime with its macros, next to `syn` with `full` alone.
fn clean_builds(root: &Path, rounds: usize) -> Result<()> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mediator-core").canonicalize()?;
    let dependencies = [
        ("mediator-core", format!("mediator-core = {{ path = {core:?} }}")),
        ("syn", "syn = { version = \"3\", features = [\"full\"] }".to_owned()),
    ];
    let folders = dependencies.map(|(name, dependency)| {
        let folder = root.join(format!("clean-{name}"));
        let manifest =
            format!("[package]\nname = \"clean\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{dependency}\n");
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/lib.rs"), "")?;
        cargo(&folder).args(["fetch", "--quiet"]).status()?;
        anyhow::Ok(folder)
    });
    let [core, syn] = folders;
    let folders = [core?, syn?];
    println!("| clean build with all dependencies | `mediator-core` | `syn` with `full` | ratio |");
    println!("|---|---|---|---|");
    for (what, arguments) in [("`cargo build`", "build"), ("`cargo build --release`", "build --release")] {
        let mut seconds = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (folder, seconds) in folders.iter().zip(&mut seconds) {
                let _ = fs::remove_dir_all(folder.join("target"));
                let start = Instant::now();
                let status = cargo(folder).args(arguments.split(' ')).arg("--quiet").status()?;
                ensure!(status.success(), "the build in {} failed", folder.display());
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        print_ratio(what, " s", &seconds);
    }
    Ok(())
}

fn compare(what: &str, values: [Result<f64>; 2]) {
    match values {
        [Ok(macros), Ok(by_hand)] => print_ratio(what, "", &[vec![macros], vec![by_hand]]),
        [macros, by_hand] => {
            for error in [macros.err(), by_hand.err()].into_iter().flatten() {
                eprintln!("{what}: {error:#}");
            }
        }
    }
}

fn profile(arguments: &str) -> Option<&str> {
    arguments.contains("--release").then_some("--release")
}

/// Medians, and the ratio of each round with its spread.
fn print_ratio(what: &str, unit: &str, [left, right]: &[Vec<f64>; 2]) {
    let mut ratios: Vec<_> = left.iter().zip(right).map(|(left, right)| left / right).collect();
    let (left, right) = (median(&mut left.clone()), median(&mut right.clone()));
    let ratio = median(&mut ratios);
    let spread = match &*ratios {
        [lowest, .., highest] => format!(" ({lowest:.2}–{highest:.2})"),
        _ => String::new(),
    };
    println!("| {what} | {left:.1}{unit} | {right:.1}{unit} | {ratio:.2}×{spread} |");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Cargo in `folder`, with that folder's own target, whatever the caller's environment says.
fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target")).stdin(Stdio::null());
    cargo
}
