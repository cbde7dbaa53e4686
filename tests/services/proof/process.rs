//! A process that a test kills.

use std::process::Stdio;
use std::time::Duration;

use services_tests::Plan;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A process, which is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What it has received.
pub(crate) struct Tally {
    pub(crate) recorded: u64,
    pub(crate) again: u64,
}

impl Process {
    pub(crate) fn start(plan: &Plan) -> Self {
        let plan = serde_json::to_string(plan).expect("a plan has JSON");
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.arg(plan).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("a process");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, input, output }
    }

    /// Waits until it says something that starts so; returns the rest.
    pub(crate) async fn until(&mut self, expected: &str) -> String {
        let heard = async {
            while let Some(line) = self.output.next_line().await.expect("what it says is text") {
                if let Some(rest) = line.strip_prefix(expected) {
                    return Some(rest.to_owned());
                }
            }
            None
        };
        let heard = timeout(Duration::from_secs(300), heard).await.ok().flatten();
        heard.unwrap_or_else(|| panic!("a process never said `{expected}`"))
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Lets it finish what it does.
    pub(crate) async fn stop(mut self) -> Tally {
        self.input.write_all(b"stop\n").await.expect("it listens");
        let said = self.until("recorded ").await;
        let mut numbers = said.split(' ').filter_map(|word| word.parse().ok());
        let tally = Tally { recorded: numbers.next().expect("a number"), again: numbers.next().expect("a number") };
        assert!(self.child.wait().await.expect("it ends").success());
        tally
    }
}
