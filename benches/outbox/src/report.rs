//! What stands above the tables.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::postgres::Postgres;
use crate::sqlite::Sqlite;

pub async fn head() -> Result<()> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    println!("# Durable deliveries: figures\n");
    println!("Written by `cargo run --release{} > OUTBOX.md` in `benches/outbox`.", features());
    println!(
        "Measured on {} ({threads} hardware threads, load {load} at the start), {}; {}; {}.\n",
        cpu.trim_start_matches([' ', '\t', ':']),
        String::from_utf8_lossy(&rustc).trim(),
        Sqlite::about().await?,
        Postgres::about().await?,
    );
    println!(include_str!("head.md"));
    Ok(())
}

fn features() -> &'static str {
    if cfg!(feature = "peers") { " --features peers" } else { "" }
}

/// A table with its title.
pub fn table(title: &str, columns: &[&str], rows: &[Vec<String>]) {
    println!("## {title}\n\n| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
}
