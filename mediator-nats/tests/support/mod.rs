//! A NATS server for a test: the one that is there, or one of the test's own, which it can kill.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How long something may take that ends in any case, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The server that `MEDIATOR_TEST_NATS` names, or this machine's. Where there is none with JetStream, the test is skipped: `None`.
///
/// # Panics
///
/// If there is none and `MEDIATOR_TEST_REQUIRE` contains `nats`.
pub(crate) async fn server(test: &str) -> Option<String> {
    let url = std::env::var("MEDIATOR_TEST_NATS").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
    // Not the account, which clients and servers of different ages see differently.
    let found = async {
        let client = async_nats::connect(&url).await.map_err(|error| error.to_string())?;
        match async_nats::jetstream::new(client).get_stream("there-is-none").await {
            Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.code() == 404) => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok(_) => Ok(()),
        }
    };
    match found.await {
        Ok(()) => Some(url),
        Err(error) => skip(test, &format!("there is no NATS server with JetStream at {url}: {error}")),
    }
}

/// Not `println`, which is shown of tests that fail.
fn skip<T>(test: &str, why: &str) -> Option<T> {
    assert!(!is_required(), "{why}");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
    None
}

fn is_required() -> bool {
    std::env::var("MEDIATOR_TEST_REQUIRE").is_ok_and(|needed| needed.split(',').any(|needed| needed.trim() == "nats"))
}

/// A server of the test's own, which is killed when this is dropped.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts one. Where it is not installed, the test is skipped: `None`.
    ///
    /// # Panics
    ///
    /// If it is not installed and `MEDIATOR_TEST_REQUIRE` contains `nats`.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr()).expect("a port").port();
        match spawn(folder.path(), port) {
            Ok(process) => {
                let server = Self { folder, port, process };
                server.until_it_answers().await;
                Some(server)
            }
            Err(error) => skip(test, &format!("`nats-server` cannot be started: {error}")),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash does.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.expect("it can be killed");
    }

    /// Starts it again, with its files.
    pub(crate) async fn restart(&mut self) {
        self.process = spawn(self.folder.path(), self.port).expect("it could be started before");
        self.until_it_answers().await;
    }

    async fn until_it_answers(&self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_err() {
            assert!(Instant::now() < deadline, "the server does not listen");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn spawn(folder: &Path, port: u16) -> std::io::Result<Child> {
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()
}

/// Asks until the answer is yes.
///
/// For what happens on a server, which nobody announces.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it took too long until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
