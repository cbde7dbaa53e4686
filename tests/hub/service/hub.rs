//! A hub in a process of its own, which can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::postgres::Schema;

/// How long something may take that ends in any case, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const SECRET: &str = "It's a Secret to Everybody";

pub(crate) struct Hub {
    folder: TempDir,
    options: Vec<String>,
    process: Child,
    address: String,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more options; its database is a file, unless they say otherwise.
    pub(crate) async fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), SECRET).unwrap();
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        let (process, address) = spawn(folder.path(), "127.0.0.1:0", &options).await;
        Self { folder, options, process, address }
    }

    /// As a crash does, and starts it again at the same address.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.process.kill().await.unwrap();
        let (process, address) = spawn(self.folder.path(), &self.address, &self.options).await;
        (self.process, self.address) = (process, address);
    }

    /// Asks it to stop; its exit code and how long it took.
    pub(crate) async fn terminate(mut self) -> (Option<i32>, Duration) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        let asked = Instant::now();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("it ends").unwrap();
        (status.code(), asked.elapsed())
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.address).await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        self.client().await.get(path).await.unwrap().json()
    }

    /// What it has told its operator so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log(self.folder.path())).unwrap()
    }

    /// Waits until all that was accepted is handled, or dead; how many are dead.
    pub(crate) async fn settled(&self) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stats = self.json("/api/stats").await;
            let count = |name: &str| stats["total"][name].as_u64().unwrap();
            if count("ready") + count("running") + count("waiting") == 0 {
                return count("dead");
            }
            assert!(Instant::now() < deadline, "not settled: {stats}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Runs a test of a hub that has a schema of PostgreSQL's to itself; skips it if there is no server.
pub(crate) async fn on_postgres<F>(name: &str, test: impl FnOnce(Hub) -> F + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let Some(schema) = Schema::for_test(name).await else { return };
    let url = schema.url();
    schema.drop_after(async move { test(Hub::start_with(&["--database", &url]).await).await }).await;
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

async fn spawn(folder: &Path, address: &str, options: &[String]) -> (Child, String) {
    let log = log(folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hub"));
    command.args(["--addr", address, "--secret-file", "secret"]).args(options).current_dir(folder);
    command.env_remove("RUST_LOG").stderr(File::options().create(true).append(true).open(&log).unwrap());
    let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it starts").unwrap();
    let line = line.unwrap_or_else(|| panic!("it did not start: {}", std::fs::read_to_string(log).unwrap()));
    (process, line.strip_prefix("listening on http://").unwrap().to_owned())
}
