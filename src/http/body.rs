//! Reads the body of a POST: JSON, in UTF-8, bounded in size and time.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use futures_util::StreamExt;
use serde_json::Value;

use super::settings::MAX_MESSAGE_BYTES;

/// Most bytes of a refused body that are read and thrown away. Whoever sends more is cut off.
const MAX_DISCARDED_BYTES: usize = 4 * 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Another content type, none, another charset, or compressed.
    ///
    /// Forms and plain text must not work: browsers send those to other sites without asking first.
    #[error("The body must be JSON: send `Content-Type: application/json`, in UTF-8 and not compressed.")]
    UnsupportedType,
    /// More than [`MAX_MESSAGE_BYTES`].
    #[error("The body is larger than 65536 bytes.")]
    TooLarge,
    /// The client was too slow.
    #[error("The body did not arrive in time.")]
    TooSlow,
    /// The connection broke, or the transfer coding was wrong.
    #[error("The body did not arrive whole.")]
    Broken,
    /// Not JSON.
    #[error("The body is not JSON.")]
    NotJson,
}

/// Reads a JSON body whole.
///
/// The rest of a body that is refused is read too, for a while, and thrown away: closing a connection while its client
/// still writes would break its writing, and many clients then report that instead of the answer (RFC 9112, section 9.6).
///
/// # Errors
/// A [`BodyError`]; a body that is announced as too large is refused at once.
pub async fn read_json(headers: &HeaderMap, body: Body, patience: Duration) -> Result<Value, BodyError> {
    let mut chunks = body.into_data_stream();
    let whole = read_whole(headers, &mut chunks, patience).await;
    // Who asks whether to send a body at all is told to as soon as somebody wants to read it, and not otherwise.
    let asks_first = headers.contains_key(EXPECT);
    let comes = match whole {
        Err(BodyError::UnsupportedType) => !asks_first,
        Err(BodyError::TooLarge) => !asks_first || announced_length(headers).is_none(),
        _ => false,
    };
    if comes {
        tokio::spawn(tokio::time::timeout(patience, discard(chunks)));
    }
    serde_json::from_slice(&whole?).map_err(|_| BodyError::NotJson)
}

async fn read_whole(
    headers: &HeaderMap,
    chunks: &mut BodyDataStream,
    patience: Duration,
) -> Result<Vec<u8>, BodyError> {
    check_type(headers)?;
    if announced_length(headers).is_some_and(|bytes| bytes > MAX_MESSAGE_BYTES as u64) {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(patience, collect(chunks)).await.map_err(|_| BodyError::TooSlow)?
}

fn check_type(headers: &HeaderMap) -> Result<(), BodyError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(BodyError::UnsupportedType);
    };
    let value = value.to_str().map_err(|_| BodyError::UnsupportedType)?;
    if is_utf8_json(value) && !headers.contains_key(CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(BodyError::UnsupportedType)
    }
}

fn is_utf8_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |part: &str| match part.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            ["utf-8", "utf8"].iter().any(|utf8| charset.trim().trim_matches('"').eq_ignore_ascii_case(utf8))
        }
        _ => true,
    };
    is_json && parts.all(is_utf8)
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect(chunks: &mut BodyDataStream) -> Result<Vec<u8>, BodyError> {
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| BodyError::Broken)?;
        if whole.len() + chunk.len() > MAX_MESSAGE_BYTES {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

async fn discard(mut chunks: BodyDataStream) {
    let mut bytes = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        bytes += chunk.len();
        if bytes > MAX_DISCARDED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(content_type: &'static str, body: impl Into<Body>) -> Result<Value, BodyError> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
        read_json(&headers, body.into(), Duration::from_millis(50)).await
    }

    #[tokio::test]
    async fn json_in_utf8_is_read() {
        for content_type in
            ["application/json", "application/json; charset=UTF-8", "Application/JSON;charset=\"utf-8\""]
        {
            assert_eq!(read(content_type, "[1]").await, Ok(serde_json::json!([1])), "{content_type}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for content_type in
            ["text/plain", "application/jsonx", "application/json; charset=latin1", "multipart/form-data", ""]
        {
            assert_eq!(read(content_type, "[1]").await, Err(BodyError::UnsupportedType), "{content_type}");
        }
        let none = read_json(&HeaderMap::new(), Body::from("[1]"), Duration::from_secs(1)).await;
        assert_eq!(none, Err(BodyError::UnsupportedType));
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert!(read("application/json", json(MAX_MESSAGE_BYTES)).await.is_ok());
        assert_eq!(read("application/json", json(MAX_MESSAGE_BYTES + 1)).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(read("application/json", endless).await, Err(BodyError::TooSlow));
    }

    #[tokio::test]
    async fn what_is_not_json_is_refused() {
        for body in ["", "{", "\u{0}", "[[[[", "{\"query\": nope}"] {
            assert_eq!(read("application/json", body).await, Err(BodyError::NotJson), "{body}");
        }
        assert_eq!(read("application/json", "[".repeat(60_000)).await, Err(BodyError::NotJson));
    }
}
