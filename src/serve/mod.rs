//! The listener in front of the routes.

use tokio::net::TcpListener;

use crate::providers::native::routes::{self, Context};

/// Answers requests until `stopped` ends, then lets those under way finish. A test brings its own listener, on port 0.
pub(crate) async fn serve(
    listener: TcpListener,
    context: Context,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, routes::routes(context)).with_graceful_shutdown(stopped).await
}

/// Ends when somebody interrupts or terminates this process.
pub(crate) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    tokio::signal::ctrl_c().await.ok();
}
