//! A PostgreSQL server of the test's own, which it can stop.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use durable_tests::{Database as _, Journal, Postgres};
use tempfile::TempDir;
use tokio::task::{LocalSet, spawn_local};

use crate::home::Home;

/// PostgreSQL refuses to run as root, so it runs as nobody then.
const NOBODY: u32 = 65534;

/// Stops when it is dropped.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts one; `None` if PostgreSQL is not installed.
    fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().expect("a folder");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may do that");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let server = Self { programs, folder, port };
        server.run("initdb", &["-U", "postgres", "-A", "trust", "--no-sync", "-D"], &[]);
        server.resume();
        Some(server)
    }

    /// Stops it at once, as a crash does, and starts it again.
    pub(crate) fn crash_and_restart(&self) {
        self.crash();
        self.resume();
    }

    fn crash(&self) {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w", "-D"], &[]);
    }

    fn resume(&self) {
        let folder = self.folder.path().display();
        // With nothing in its log that no session has caused.
        let options = format!(
            "-p {} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off -c wal_level=minimal \
             -c max_wal_senders=0",
            self.port
        );
        let log = format!("{folder}/log");
        self.run("pg_ctl", &["start", "-w", "-D"], &["-l", &log, "-o", &options]);
    }

    fn run(&self, program: &str, before: &[&str], after: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(before).arg(self.folder.path().join("data")).args(after);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        assert!(command.status().expect("a program").success(), "`{program}` failed");
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.crash();
            return;
        }
        // Whatever state it is in.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.crash()));
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// The folder of PostgreSQL's programs, of which not all are in `PATH` everywhere.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path: Vec<_> = std::env::split_paths(&path).collect();
    debian.chain(in_path).find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|it| is_there(folder, it)))
}

fn is_there(folder: &Path, program: &str) -> bool {
    folder.join(program).is_file()
}

/// Runs a test on a server of its own.
pub(crate) fn run<F>(test: &'static str, body: impl FnOnce(Server, Home<Postgres>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let Some(server) = Server::start() else {
        let required = std::env::var("MEDIATOR_TEST_REQUIRE").is_ok_and(|needed| needed.contains("postgres"));
        assert!(!required, "PostgreSQL's programs are not installed");
        return println!("skipped: {test}: PostgreSQL's programs are not installed");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Postgres::connect(&server.url()).await;
        database.prepare().await;
        let journal = Journal::open(&folder.path().join("journal"));
        let done = spawn_local(body(server, Home { database, journal, folder })).await;
        if let Err(failed) = done {
            std::panic::resume_unwind(failed.into_panic());
        }
    });
}
