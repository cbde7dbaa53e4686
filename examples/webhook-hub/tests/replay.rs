//! The hub as its user sees it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const DATA: &str = include_str!("../data/github-webhooks.jsonl");

/// The webhooks that have an event type of their own.
const KNOWN: [&str; 19] = [
    "check_run.completed",
    "commit_comment.created",
    "discussion.created",
    "fork",
    "issue_comment.created",
    "issues.closed",
    "issues.labeled",
    "issues.opened",
    "issues.reopened",
    "pull_request.closed",
    "pull_request.merged",
    "pull_request.opened",
    "pull_request.reopened",
    "pull_request_review.submitted",
    "pull_request_review_comment.created",
    "push",
    "release.published",
    "star.created",
    "workflow_job.completed",
];

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

fn hub() -> Command {
    Command::new(env!("CARGO_BIN_EXE_webhook-hub"))
}

fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    Run { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
}

/// Replays what `write` writes to the hub's standard input.
fn replay_from(write: impl FnOnce(&mut dyn Write)) -> Run {
    let mut file = tempfile::tempfile().unwrap();
    write(&mut file);
    std::io::Seek::rewind(&mut file).unwrap();
    run(hub().args(["replay", "-", "--json"]).stdin(file))
}

fn replay(input: impl AsRef<[u8]>) -> Run {
    replay_from(|file| file.write_all(input.as_ref()).unwrap())
}

fn file(directory: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn webhook(event: &str, mut payload: Value) -> String {
    let fields = payload.as_object_mut().unwrap();
    fields.entry("repository").or_insert(json!({ "full_name": "ada/engine" }));
    fields.entry("sender").or_insert(json!({ "login": "ada" }));
    format!("{}\n", json!({ "event": event, "payload": payload }))
}

fn release(tag: &str) -> String {
    webhook("release", json!({ "action": "published", "release": { "tag_name": tag } }))
}

fn star() -> String {
    webhook("star", json!({ "action": "created" }))
}

/// The name that a line of input should be counted under.
fn event_of(line: &str) -> String {
    let webhook: Value = serde_json::from_str(line).unwrap();
    let kind = webhook["event"].as_str().unwrap();
    let name = match webhook["payload"]["action"].as_str() {
        Some("closed") if webhook["payload"]["pull_request"]["merged"] == true => format!("{kind}.merged"),
        Some(action) => format!("{kind}.{action}"),
        None => kind.to_owned(),
    };
    if KNOWN.contains(&name.as_str()) { name } else { "other".to_owned() }
}

#[test]
fn bare_it_replays_its_own_data_from_anywhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    let run = run(hub().arg("--json").current_dir(&elsewhere));
    let summary = run.json();
    let mut by_event = BTreeMap::<String, u64>::new();
    for line in DATA.lines() {
        *by_event.entry(event_of(line)).or_default() += 1;
    }

    assert_eq!(run.code, Some(0));
    assert_eq!(run.stderr, "", "no progress bar where there is no terminal");
    assert!(by_event.len() > 12);
    assert_eq!(summary["by_event"], json!(by_event));
    assert_eq!(summary["published"], DATA.lines().count());
    assert_eq!(summary["unknown"], 0);
    assert_eq!(summary["failed"], 0);
    assert_eq!(summary["malformed"], 0);
    assert_eq!(summary["modules"]["audit"]["webhooks"], DATA.lines().count());
    let modules: Vec<_> = summary["modules"].as_object().unwrap().keys().collect();
    assert_eq!(modules, ["audit", "ci", "contributors", "release notes", "triage"]);
    assert_eq!(summary.as_object().unwrap().len(), 6, "nothing else is in the summary");
}

#[test]
fn the_strategy_does_not_change_what_is_found() {
    let sequential = run(hub().args(["--json", "--publisher", "sequential"]));
    let group = run(hub().args(["--json", "--publisher", "group"]));
    assert_eq!(sequential.stdout, group.stdout);
    assert_eq!(group.code, Some(0));
}

#[test]
fn the_table_shows_what_each_module_found() {
    let run = run(&mut hub());
    for text in ["audit", "ci", "contributors", "release notes", "triage", "pull_request.opened", "192 published"] {
        assert!(run.stdout.contains(text), "no {text} in\n{}", run.stdout);
    }
}

#[test]
fn every_kind_of_event_reaches_the_audit_log_and_the_modules() {
    let pull_request = |merged| {
        json!({
            "action": "closed",
            "pull_request": { "number": 1, "title": "Add a mill", "merged": merged, "user": { "login": "charles" } },
        })
    };
    let numbered = |action: &str| {
        json!({
            "action": action,
            "issue": { "number": 1, "title": "Smoke", "labels": [] },
            "label": { "name": "bug" },
            "pull_request": { "number": 1, "title": "Add a mill" },
            "review": { "state": "approved" },
            "comment": { "commit_id": "c0ffee" },
            "discussion": { "number": 1, "category": { "name": "Ideas" } },
        })
    };
    let build = json!({ "name": "lint", "conclusion": "failure" });
    let input = [
        webhook("check_run", json!({ "action": "completed", "check_run": build })),
        webhook("workflow_job", json!({ "action": "completed", "workflow_job": build })),
        webhook("commit_comment", numbered("created")),
        webhook("discussion", numbered("created")),
        webhook("fork", json!({ "forkee": { "full_name": "charles/engine" } })),
        webhook("issue_comment", numbered("created")),
        webhook("issues", numbered("opened")),
        webhook("issues", numbered("labeled")),
        webhook("issues", numbered("closed")),
        webhook("issues", numbered("reopened")),
        webhook("pull_request", numbered("opened")),
        webhook("pull_request", pull_request(false)),
        webhook("pull_request", numbered("reopened")),
        webhook("pull_request_review", numbered("submitted")),
        webhook("pull_request_review_comment", numbered("created")),
        webhook("pull_request", pull_request(true)),
        webhook("push", json!({ "ref": "refs/heads/main", "commits": [{ "author": { "name": "Charles" } }] })),
        release("v1"),
        star(),
    ];
    let run = replay(input.concat());
    let summary = run.json();

    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(summary["by_event"], json!(KNOWN.map(|name| (name, 1)).into_iter().collect::<BTreeMap<_, _>>()));
    assert_eq!(summary["unknown"], 0);
    assert_eq!(summary["modules"]["audit"]["webhooks"], KNOWN.len());
    assert_eq!(summary["modules"]["ci"]["builds failed"], 2);
    assert_eq!(summary["modules"]["contributors"]["by ada"], "1 review, 3 comments");
    assert_eq!(summary["modules"]["release notes"]["ada/engine v1"], "Add a mill (#1, by charles)");
    assert_eq!(summary["modules"]["triage"]["open issues"], 1);
    assert_eq!(summary["modules"]["triage"]["failed builds to look at"], 2, "told by another module");
}

#[test]
fn a_kind_that_nobody_has_documented_is_unknown_and_published_all_the_same() {
    let input = [webhook("telepathy", json!({})), webhook("workflow_dispatch", json!({ "ref": "main" }))];
    let run = replay(input.concat());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.json()["by_event"], json!({ "other": 1, "unknown": 1 }));
    assert_eq!(run.json()["unknown"], 1);
    assert_eq!(run.json()["modules"]["audit"]["webhooks"], 2);
}

#[test]
fn malformed_lines_are_reported_with_their_place_and_the_replay_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let bad = [
        &star(),
        "nonsense\n",
        "\n",
        "[\"push\", {}]\r\n",
        "{\"event\": \"push\"}\n",
        "{\"event\": \"push\", \"payload\": 3}\n",
        "{\"event\": \"issues\", \"payload\": {\"action\": \"opened\"}}\n",
        &webhook("star", json!({})),
        &webhook("star", json!({ "action": "created", "sender": { "login": 7 } })),
        &star(),
    ];
    let path = file(directory.path(), "bad.jsonl", bad.concat());
    let run = run(hub().args(["replay", &path, "--json"]));

    assert_eq!(run.code, Some(1));
    assert_eq!(run.json()["published"], 2);
    assert_eq!(run.json()["malformed"], 7);
    let reports: Vec<_> = run.stderr.lines().map(|line| line.strip_prefix(path.as_str()).unwrap()).collect();
    assert_eq!(
        reports,
        [
            ":2: not a JSON object: expected ident (column 2)",
            ":4: not a JSON object: invalid type: sequence, expected a map",
            ":5: not a webhook: missing field `payload`",
            ":6: not a webhook: invalid type: integer `3`, expected a map",
            ":7: not a valid `issues` webhook: `payload.repository.full_name` is missing",
            ":8: not a valid `star` webhook: `payload.action` is missing",
            ":9: not a valid `star` webhook: `payload.sender.login`: invalid type: integer `7`, expected a string",
        ]
    );
}

#[test]
fn bytes_that_are_no_text_are_reported() {
    let run = replay([star().as_bytes(), b"{\"event\": \"\xff\"}\n", star().as_bytes()].concat());
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, "standard input:2: not UTF-8 from byte 12 on\n");
    assert_eq!(run.json()["published"], 2);
}

#[test]
fn a_line_of_50_mb_is_reported_and_the_next_one_is_replayed() {
    let run = replay_from(|file| {
        file.write_all(b"{\"event\": \"").unwrap();
        std::io::copy(&mut std::io::repeat(b'x').take(50_000_000), file).unwrap();
        write!(file, "\", \"payload\": {{}}}}\n{}", star()).unwrap();
    });
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stderr, "standard input:1: longer than 25 MiB\n");
    assert_eq!(run.json()["published"], 1);
}

#[test]
fn damaged_webhooks_are_each_accounted_for() {
    let mut lines = Vec::new();
    for line in DATA.lines().map(str::as_bytes) {
        lines.extend((1..8).map(|part| line[..line.len() * part / 8].to_vec()));
        lines.extend((1..8).map(|part| {
            let mut line = line.to_vec();
            let at = line.len() * part / 8;
            line[at] ^= 1 << part;
            line
        }));
    }
    for line in DATA.lines() {
        lines.push(line.replace("login", "logout").into());
        lines.push(line.replace("\"number\":", "\"number\":-").into());
    }
    lines.iter_mut().for_each(|line| line.retain(|byte| *byte != b'\n'));
    let run = replay(lines.join(&b'\n'));
    let summary = run.json();
    let count = |name: &str| usize::try_from(summary[name].as_u64().unwrap()).unwrap();

    assert_eq!(run.code, Some(1));
    assert_eq!(count("published") + count("failed") + count("malformed"), lines.len());
    assert_eq!(run.stderr.lines().count(), count("failed") + count("malformed"));
    assert!(count("malformed") >= DATA.lines().count() * 7);
}

#[test]
fn a_failing_handler_is_named_and_the_replay_goes_on() {
    let run = replay([release(" "), release("v1")].concat());
    let summary = run.json();

    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("standard input:1: publishing `release.published` ("), "{}", run.stderr);
    assert!(run.stderr.contains("handler `release_notes.release_published` ("), "{}", run.stderr);
    assert!(run.stderr.contains("a release of ada/engine has no tag"), "{}", run.stderr);
    assert_eq!((&summary["published"], &summary["failed"]), (&json!(1), &json!(1)));
    assert_eq!(summary["by_event"], json!({ "release.published": 2 }));
    assert_eq!(summary["modules"]["audit"]["webhooks"], 2, "the audit log comes first");
}

#[test]
fn a_file_that_cannot_be_opened_stops_the_replay_before_it_starts() {
    let directory = tempfile::tempdir().unwrap();
    let good = file(directory.path(), "good.jsonl", star());
    let missing = directory.path().join("missing.jsonl");
    for (path, reason) in [(missing.as_path(), "No such file or directory"), (directory.path(), "is a directory")] {
        let run = run(hub().args(["replay", &good]).arg(path));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.starts_with(&format!("error: cannot open {}: {reason}", path.display())), "{}", run.stderr);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_input_that_cannot_be_read_is_reported_and_the_others_are_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let good = file(directory.path(), "good.jsonl", star());
    // It opens like any file; to read its first byte is an error.
    let run = run(hub().args(["replay", "--json", "/proc/self/mem", &good]));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.starts_with("/proc/self/mem:1: cannot be read: "), "{}", run.stderr);
    assert_eq!(run.json()["published"], 1);
}

#[test]
fn an_input_without_webhooks_is_said_to_be_empty() {
    for input in ["", "\n  \r\n"] {
        let run = replay(input);
        assert_eq!(run.code, Some(3));
        assert_eq!(run.stderr, "standard input: empty; there is no webhook to replay\n");
        assert_eq!(run.json()["published"], 0);
    }
}

#[test]
fn files_are_replayed_in_order_and_a_dash_is_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let merged = json!({
        "action": "closed",
        "pull_request": { "number": 1, "title": "Add a mill", "merged": true, "user": { "login": "charles" } },
    });
    let first = file(directory.path(), "first.jsonl", webhook("pull_request", merged));
    let last = file(directory.path(), "last.jsonl", release("v2"));
    let middle = std::fs::File::open(file(directory.path(), "middle.jsonl", release("v1"))).unwrap();
    let run = run(hub().args(["replay", "--json", &first, "-", &last]).stdin(middle));

    assert_eq!(run.code, Some(0));
    let notes = &run.json()["modules"]["release notes"];
    assert_eq!(notes["ada/engine v1"], "Add a mill (#1, by charles)");
    assert_eq!(notes["ada/engine v2"], "no merged pull requests");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut hub = hub();
    hub.args(["replay", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut hub = hub.spawn().unwrap();
    drop(hub.stdout.take());
    // The hub prints when its input ends, which is after its reader has gone.
    hub.stdin.take().unwrap().write_all(star().as_bytes()).unwrap();
    let output = hub.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
#[cfg(not(feature = "serve"))]
fn a_replay_alone_says_how_to_get_the_service() {
    let run = run(hub().args(["serve", "--addr", "127.0.0.1:0"]));
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("cargo run -p webhook-hub --features serve -- serve"), "{}", run.stderr);
}

#[test]
fn wrong_usage_is_explained() {
    for arguments in [&["replay"][..], &["--publisher", "magic"], &["repla"]] {
        let run = run(hub().args(arguments));
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains("--help"), "{}", run.stderr);
    }
    let help = run(hub().arg("--help"));
    assert_eq!(help.code, Some(0));
    for text in ["replay", "--publisher", "--json", "Exit codes:"] {
        assert!(help.stdout.contains(text), "{}", help.stdout);
    }
}

#[test]
fn webhooks_cannot_steer_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let repository = json!({ "full_name": "\u{1b}[2J" });
    let no_tag = json!({ "action": "published", "release": { "tag_name": "" }, "repository": repository });
    let path = file(directory.path(), "escape.jsonl", release("v1\u{1b}[2J") + &webhook("release", no_tag));
    let run = run(hub().args(["replay", &path]));
    assert!(run.stderr.contains("a release of \u{fffd}[2J has no tag"), "{}", run.stderr);
    assert!(run.stdout.contains("v1\u{fffd}[2J"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
}

#[test]
fn the_topology_is_shown_in_four_formats() {
    let topology = |format: &str| {
        let run = run(hub().args(["topology", "--format", format]));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        run
    };
    for (format, shown) in [("table", "1. "), ("mermaid", "subgraph"), ("dot", "digraph")] {
        assert!(topology(format).stdout.contains(shown), "{format}");
    }
    let json = topology("json").json();
    assert_eq!(json["version"], 2);
    let events: Vec<_> =
        json["events"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert!(KNOWN.iter().all(|known| events.contains(known)), "{events:?}");
    assert_eq!(run(hub().arg("topology")).stdout, topology("table").stdout);
}
