//! Health: is the process alive, and should it be sent requests?

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Door;
use super::operations::Operations;

/// `/health/live`: the process answers, whatever the state of its database.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// `/health/ready`: 200 when requests may be sent here, else 503 with the reason in one word.
pub(crate) async fn ready<O: Operations>(State(door): State<Door<O>>) -> (StatusCode, Json<Value>) {
    if door.settings.shutdown.has_begun() {
        return not_ready("shutting_down");
    }
    match tokio::time::timeout(door.settings.patience.ready, door.operations.ready()).await {
        Ok(Ok(())) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "not ready");
            not_ready("unavailable")
        }
        Err(_) => {
            tracing::warn!("not ready: no answer in time");
            not_ready("timeout")
        }
    }
}

fn not_ready(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not_ready", "reason": reason })))
}
