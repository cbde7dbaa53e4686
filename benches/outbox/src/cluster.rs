//! What it costs to keep events on three servers of a NATS cluster instead of one.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use mediator_core::EventId;
use mediator_nats::NatsBridge;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::measure::{ROUNDS, Spread, rate, timed};
use crate::nats::{COUNT, events, publish};
use crate::report::table;

const SERVERS: usize = 3;

pub async fn report() -> Result<()> {
    let cluster = Cluster::start().await?;
    let (one, three) = (cluster.bridge(1).await?, cluster.bridge(SERVERS).await?);
    let (mut on_one, mut on_three) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let now = [timed(publish(&one, events())).await?, timed(publish(&three, events())).await?];
        if round > 0 {
            on_one.push(now[0]);
            on_three.push(now[1]);
        }
    }
    let ratio = Spread::of_ratios(&on_one, &on_three).to_string();
    let row = vec![rate(COUNT, &on_one), rate(COUNT, &on_three), ratio];
    table("NATS: a cluster of three", &["one replica, per second", "three replicas, per second", "over one"], &[row]);
    println!("`NatsBridge::publish`, a hundred in flight. The three servers and the client share the machine.\n");
    Ok(())
}

/// Servers of this program's own; they end with it.
struct Cluster {
    _servers: Vec<Child>,
    folder: PathBuf,
    url: String,
}

impl Cluster {
    async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("nats-cluster-{}", EventId::new()));
        let ports = (0..SERVERS).map(|_| Ok((free_port()?, free_port()?))).collect::<Result<Vec<_>>>()?;
        let routes: Vec<_> = ports.iter().map(|(_, route)| format!("nats://127.0.0.1:{route}")).collect();
        let start = |(index, (port, _)): (usize, &(u16, u16))| {
            Command::new("nats-server")
                .args(["-a", "127.0.0.1", "-js", "--cluster_name", "outbox-benchmark"])
                .args(["-p", &port.to_string(), "-n", &format!("server-{index}")])
                .args(["--cluster", &routes[index], "--routes", &routes.join(",")])
                .arg("-sd")
                .arg(folder.join(index.to_string()))
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
        };
        let servers = ports.iter().enumerate().map(start).collect::<Result<_, _>>().context("nats-server")?;
        let urls: Vec<_> = ports.iter().map(|(port, _)| format!("nats://127.0.0.1:{port}")).collect();
        Ok(Self { _servers: servers, folder, url: urls.join(",") })
    }

    /// A bridge to a stream with so many replicas, as soon as the servers have elected those who lead.
    async fn bridge(&self, replicas: usize) -> Result<NatsBridge> {
        let connect = || {
            let builder = NatsBridge::builder("bench-sender").replicas(replicas);
            builder.stream(&format!("R{replicas}")).subject_prefix(&format!("r{replicas}")).connect(&self.url)
        };
        let connected = timeout(Duration::from_secs(60), async {
            loop {
                match connect().await {
                    Ok(bridge) => return bridge,
                    Err(_) => sleep(Duration::from_millis(200)).await,
                }
            }
        });
        connected.await.context("the cluster does not get ready")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
