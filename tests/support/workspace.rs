use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A workspace that tests build, with the dependencies of this one.
#[derive(Debug)]
pub struct Workspace {
    directory: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// That in `fixtures/built`; `scratch` is the `CARGO_TARGET_TMPDIR` of the test.
    #[must_use]
    pub fn built(name: &str, scratch: &str) -> Self {
        Self::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built").join(name), name, scratch)
    }

    /// A copy of `fixtures/copied/<name>` with the values of the `@PLACEHOLDERS@` in its manifests.
    #[must_use]
    pub fn copied(name: &str, scratch: &str, values: &[(&str, &str)]) -> Self {
        let copy = Path::new(scratch).join("copied").join(name);
        _ = fs::remove_dir_all(&copy);
        copy_filled(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/copied").join(name), &copy, values);
        Self::at(copy, name, scratch)
    }

    fn at(directory: PathBuf, name: &str, scratch: &str) -> Self {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, directory.join("Cargo.lock")).unwrap();
        Self { directory, target: Path::new(scratch).join(name) }
    }

    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    #[must_use]
    pub fn cargo(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).current_dir(&self.directory).env("CARGO_TARGET_DIR", &self.target);
        cargo.env_remove("RUSTFLAGS").env("RUST_BACKTRACE", "0").output().unwrap()
    }
}

fn copy_filled(from: &Path, to: &Path, values: &[(&str, &str)]) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if from.is_dir() {
            copy_filled(&from, &to, values);
            continue;
        }
        let text = fs::read_to_string(&from).unwrap();
        let filled = values.iter().fold(text, |text, (name, value)| text.replace(&format!("@{name}@"), value));
        fs::write(to, filled).unwrap();
    }
}
