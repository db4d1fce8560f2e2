//! Figures and health for the operator's monitoring, on a port of its own that is not for the public.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rookery_core::Core;
use rookery_store::Way;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;

/// What the pages read.
#[derive(Clone)]
pub struct Monitor {
    core: Arc<Core>,
    figures: PrometheusHandle,
    /// Cleared when the server begins to shut down: a balancer sends nobody new.
    ready: Arc<AtomicBool>,
}

/// Takes over the counting of the whole process. Call it once, before anything is counted.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}

impl Monitor {
    /// Pages about `core`.
    pub fn new(core: Arc<Core>, figures: PrometheusHandle) -> Monitor {
        describe_gauge!(
            "rookery_sessions",
            "Sessions, by state: served, or waiting for their client to come back."
        );
        describe_gauge!(
            "rookery_files",
            "Uploaded files that are stored; those of the same content are one."
        );
        describe_gauge!("rookery_files_bytes", "Bytes of the uploaded files that are stored.");
        describe_gauge!("rookery_sendings_waiting", "Sendings to people who are not here that wait, by way.");
        describe_gauge!("rookery_store_waiting", "Writes that wait for the store.");
        describe_gauge!("rookery_store_commit_seconds_max", "The slowest commit since the start.");
        describe_counter!("rookery_store_commits_total", "Transactions committed.");
        describe_counter!("rookery_store_jobs_total", "Writes committed; by commits, the size of a batch.");
        describe_counter!("rookery_store_commit_microseconds_total", "Time spent in transactions.");
        describe_counter!("rookery_store_failures_total", "Transactions that failed.");
        describe_gauge!(
            "rookery_search_lag_messages",
            "Messages that are not in the search index yet, about."
        );
        describe_counter!("rookery_auth_failures_total", "Failed authentications, by condition.");
        Monitor { core, figures, ready: Arc::new(AtomicBool::new(true)) }
    }

    /// From now on the server is not ready for new connections.
    pub fn retire(&self) {
        self.ready.store(false, Ordering::Relaxed);
    }

    /// Serves the pages until the listener fails.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let pages = Router::new()
            .route("/metrics", get(figures))
            .route("/health", get(|| async { "alive\n" }))
            .route("/ready", get(ready))
            .with_state(self);
        axum::serve(listener, pages).await
    }

    async fn observe_files(&self) {
        // A store that does not answer shows elsewhere.
        if let Ok(stored) = self.core.store.stored_files().await {
            gauge!("rookery_files").set(stored.files as f64);
            gauge!("rookery_files_bytes").set(stored.bytes as f64);
        }
        if let Ok(waiting) = self.core.store.sendings_waiting().await {
            for way in Way::ALL {
                let count = waiting.iter().find(|(of, _)| *of == way).map_or(0, |(_, count)| *count);
                gauge!("rookery_sendings_waiting", "way" => way.name()).set(count as f64);
            }
        }
    }

    fn observe(&self) {
        let (served, waiting) = self.core.session_counts();
        gauge!("rookery_sessions", "state" => "served").set(served);
        gauge!("rookery_sessions", "state" => "waiting").set(waiting);
        let stats = self.core.store.stats();
        gauge!("rookery_store_waiting").set(stats.waiting as f64);
        gauge!("rookery_store_commit_seconds_max").set(stats.commit_micros_max as f64 / 1e6);
        gauge!("rookery_search_lag_messages").set(self.core.store.index_lag() as f64);
        counter!("rookery_store_commits_total").absolute(stats.commits);
        counter!("rookery_store_jobs_total").absolute(stats.jobs);
        counter!("rookery_store_commit_microseconds_total").absolute(stats.commit_micros);
        counter!("rookery_store_failures_total").absolute(stats.failures);
    }
}

async fn figures(State(monitor): State<Monitor>) -> Response {
    monitor.observe();
    monitor.observe_files().await;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, monitor.figures.render()).into_response()
}

/// Ready means: new connections are welcome, and the store answers.
async fn ready(State(monitor): State<Monitor>) -> (StatusCode, &'static str) {
    if !monitor.ready.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    match monitor.core.store.account_count().await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}
