//! A process that a test kills and pauses.

use std::collections::BTreeSet;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use durable_tests::Plan;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A process, which is killed when this is dropped.
pub(crate) struct Node {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it has published.
    published: BTreeSet<i64>,
}

impl Node {
    /// Starts one.
    pub(crate) fn start(plan: &Plan) -> Self {
        let plan = serde_json::to_string(plan).expect("a plan has JSON");
        let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
        command.arg(plan).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("a process");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, input, output, published: BTreeSet::new() }
    }

    /// Starts one that has connected when this returns.
    pub(crate) async fn ready(plan: &Plan) -> Self {
        let mut node = Self::start(plan);
        node.until("ready").await;
        node
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it has not ended")
    }

    /// Waits until it says something.
    pub(crate) async fn until(&mut self, expected: &str) {
        let heard = async {
            while let Some(line) = self.next().await {
                if line == expected {
                    return true;
                }
            }
            false
        };
        let heard = timeout(Duration::from_secs(300), heard).await;
        assert!(heard.is_ok_and(|heard| heard), "a process never said `{expected}`");
    }

    /// The next line that it says; `None` if it has ended.
    async fn next(&mut self) -> Option<String> {
        let line = self.output.next_line().await.expect("what it says is text")?;
        if let Some(number) = line.strip_prefix("published ") {
            self.published.insert(number.parse().expect("a number"));
        }
        Some(line)
    }

    /// Tells it something.
    pub(crate) async fn tell(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("it listens");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("the number of a process");
        kill_process(id, signal).expect("it is there");
    }

    /// Kills it; returns what it has published.
    pub(crate) async fn kill(mut self) -> BTreeSet<i64> {
        self.signal(Signal::KILL);
        self.ended().await;
        self.published
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_some()
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        while self.next().await.is_some() {}
        self.child.wait().await.expect("it ends")
    }

    /// Lets it finish what it does; returns what it has published.
    pub(crate) async fn stop(mut self) -> BTreeSet<i64> {
        self.tell("stop").await;
        self.until("stopped").await;
        assert!(self.ended().await.success());
        self.published
    }
}
