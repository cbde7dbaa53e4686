//! Connections: at most so long without a request, and none is cut off when the server stops.

use std::io;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// For the head of a request, and so between two requests of a connection, too.
const HEAD: Duration = Duration::from_secs(15);

/// Accepts connections until `end` resolves, then waits for their requests: at most `grace`.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    end: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<()> {
    let connections = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connect(stream, &router, &connections),
                // Of the connection that was to be, or there are too many: those that are idle will end.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    // Those that have not ended by then are dropped with the runtime.
    let _ = timeout(grace, connections.shutdown()).await;
    Ok(())
}

fn connect(stream: TcpStream, router: &Router, connections: &GracefulShutdown) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that goes away, or speaks no HTTP, concerns nobody else.
        let _ = connection.await;
    });
}
