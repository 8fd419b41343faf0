//! How limits are told to callers: in header fields, and in `extensions.rateLimit`.
//!
//! The fields are those of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` says what each limit allows (`q`) in
//! which time (`w`), `RateLimit` what is left of it (`r`) and for how many seconds no more than that (`t`).

use std::fmt::Write;
use std::sync::Arc;

use async_graphql::{Response, ServerError, Value, value};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::problem::{RATE_LIMITED, RETRY_AFTER, coded, is_request_error, set_extension};
use crate::engine::charge::{Bill, Meter};

/// What each limit allows.
pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of each limit.
pub(super) const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// The name, in `extensions`, of how a caller's limits stand.
pub const RATE_LIMIT: &str = "rateLimit";

/// How the limits of a caller stand; empty for who has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meters(Vec<Meter>);

impl Meters {
    /// The meters of a bill.
    ///
    /// # Errors
    /// With code `RATE_LIMITED`, when nothing was charged and nothing may be run.
    pub fn of(bill: Bill) -> Result<Self, ServerError> {
        let meters = Self(bill.meters);
        match bill.retry_after_seconds {
            None => Ok(meters),
            Some(seconds) => Err(meters.refuse(seconds)),
        }
    }

    fn refuse(&self, seconds: i64) -> ServerError {
        let mut error = coded(format!("Too many requests; try again in {seconds} s."), RATE_LIMITED);
        set_extension(&mut error, RETRY_AFTER, seconds);
        set_extension(&mut error, RATE_LIMIT, self.to_value());
        self.attach(&mut error);
        error
    }

    /// Lets an error carry the meters as far as the header of its answer.
    pub fn attach(&self, error: &mut ServerError) {
        if !self.0.is_empty() {
            error.source = Some(Arc::new(self.clone()));
        }
    }

    /// Tells a response's caller, in whichever way the transport can.
    pub fn stamp(&self, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        if is_request_error(response) {
            response.errors.iter_mut().take(1).for_each(|error| self.attach(error));
            return;
        }
        response.extensions.insert(RATE_LIMIT.to_owned(), self.to_value());
        self.write_headers(&mut response.http_headers);
    }

    /// The meters that an error carries.
    pub(crate) fn carried_by(error: &ServerError) -> Option<&Self> {
        error.source::<Self>()
    }

    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        let policy = |field: &mut String, meter: &Meter| {
            write!(field, "\"{}\";q={};w={}", meter.policy, meter.quota.at_once(), meter.quota.window_seconds())
        };
        let standing = |field: &mut String, meter: &Meter| {
            write!(field, "\"{}\";r={};t={}", meter.policy, meter.left, meter.reset_seconds)
        };
        for (name, field) in [(POLICY, self.list(policy)), (STANDING, self.list(standing))] {
            if let Some(value) = field.and_then(|text| HeaderValue::try_from(text).ok()) {
                headers.insert(name, value);
            }
        }
    }

    /// A list as RFC 9651 writes it; nothing when there is nothing to list, as it has no empty lists.
    fn list(&self, item: impl Fn(&mut String, &Meter) -> std::fmt::Result) -> Option<String> {
        let mut field = String::new();
        for meter in &self.0 {
            if !field.is_empty() {
                field.push_str(", ");
            }
            item(&mut field, meter).ok()?;
        }
        (!field.is_empty()).then_some(field)
    }

    fn to_value(&self) -> Value {
        let meter = |meter: &Meter| {
            let (limit, window) = (meter.quota.at_once(), meter.quota.window_seconds());
            value!({
                "policy": meter.policy, "limit": limit, "windowSeconds": window,
                "remaining": meter.left, "resetSeconds": meter.reset_seconds,
            })
        };
        Value::List(self.0.iter().map(meter).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limit::Quota;

    fn meters(retry_after_seconds: Option<i64>) -> Result<Meters, ServerError> {
        let cost = Meter { policy: "cost", quota: Quota::new(5_000, 1_000), left: 4_300, reset_seconds: 1 };
        let claims = Meter { policy: "claims", quota: Quota::new(30, 2_000_000), left: 0, reset_seconds: 4 };
        Meters::of(Bill { meters: vec![cost, claims], retry_after_seconds })
    }

    #[test]
    fn the_fields_are_structured_lists() {
        let mut headers = HeaderMap::new();
        meters(None).unwrap().write_headers(&mut headers);
        assert_eq!(headers[POLICY], r#""cost";q=5000;w=5, "claims";q=30;w=60"#);
        assert_eq!(headers[STANDING], r#""cost";r=4300;t=1, "claims";r=0;t=4"#);
    }

    #[test]
    fn who_has_no_limits_is_told_of_none() {
        let mut response = Response::new(Value::Null);
        Meters::default().stamp(&mut response);
        assert!(response.extensions.is_empty() && response.http_headers.is_empty());
        let mut headers = HeaderMap::new();
        Meters::default().write_headers(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_refusal_says_how_long_to_wait_and_carries_its_meters() {
        let refused = meters(Some(4)).unwrap_err();
        assert_eq!(refused.message, "Too many requests; try again in 4 s.");
        let json = serde_json::to_value(&refused).unwrap();
        assert_eq!(json["extensions"]["code"], "RATE_LIMITED");
        assert_eq!(json["extensions"]["retryAfter"], 4);
        assert_eq!(json["extensions"]["rateLimit"][1]["remaining"], 0);
        assert!(Meters::carried_by(&refused).is_some());
    }

    #[test]
    fn what_was_run_and_what_was_not_both_tell() {
        let told = meters(None).unwrap();
        let mut run = Response::new(value!({"a": 1}));
        told.stamp(&mut run);
        assert_eq!(run.extensions[RATE_LIMIT].to_string().matches("policy").count(), 2);
        assert!(run.http_headers.contains_key(STANDING));
        let mut refused = Response::from_errors(vec![coded("no such field", "BAD_USER_INPUT")]);
        told.stamp(&mut refused);
        assert_eq!(Meters::carried_by(&refused.errors[0]), Some(&told));
    }
}
