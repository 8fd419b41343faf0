//! Checks of what callers send: clear refusals, before anything is stored.

use super::{Refusal, RefusalCode};
use crate::domain::{
    contact,
    decimal::Decimal,
    keyed_hash::{HashKey, KeyedHash},
    money::Money,
    program,
    time::{DAY_MICROS, Timestamp},
    visitor,
};

/// Longest id, key or reference of the host, in characters.
pub const KEY_MAX_CHARS: usize = 255;
/// Longest name shown to others, in characters.
pub const NAME_MAX_CHARS: usize = 100;
/// Longest metadata of an event, in bytes of JSON.
pub const METADATA_MAX_BYTES: usize = 4_096;
/// Longest reason of an operator, in characters.
const REASON_MAX_CHARS: usize = 500;
/// Longest device id or browser name, in characters.
const EVIDENCE_MAX_CHARS: usize = 512;
/// Keys of events that begin so are our own.
pub const OWN_KEY_PREFIX: &str = "signup:";

fn invalid(field: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::InvalidInput, field, message)
}

/// A text of 1 to `max` characters without control characters.
pub fn text(field: &'static str, value: &str, max: usize) -> Result<(), Refusal> {
    if value.trim().is_empty() {
        return Err(invalid(field, format!("{field} must not be empty")));
    }
    if value.chars().count() > max {
        return Err(invalid(field, format!("{field} is at most {max} characters long")));
    }
    if value.chars().any(char::is_control) {
        return Err(invalid(field, format!("{field} must not contain control characters")));
    }
    Ok(())
}

/// Why an operator does something.
pub fn reason(value: &str) -> Result<(), Refusal> {
    text("reason", value, REASON_MAX_CHARS)
}

/// A name shown to others: trimmed; nothing when it is blank.
pub fn display_name(value: Option<&str>) -> Result<Option<String>, Refusal> {
    match value.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(None),
        Some(name) => text("displayName", name, NAME_MAX_CHARS).map(|()| Some(name.to_owned())),
    }
}

/// An idempotency key.
pub fn idempotency_key(field: &'static str, key: &str) -> Result<(), Refusal> {
    text(field, key, KEY_MAX_CHARS)
}

/// An idempotency key of an event of the host.
pub fn event_key(key: &str) -> Result<(), Refusal> {
    idempotency_key("idempotencyKey", key)?;
    match key.starts_with(OWN_KEY_PREFIX) {
        true => Err(invalid("idempotencyKey", format!("keys that begin with `{OWN_KEY_PREFIX}` are reserved"))),
        false => Ok(()),
    }
}

/// The name of an event type.
pub fn event_type(name: &str) -> Result<(), Refusal> {
    match program::is_event_type(name) {
        true => Ok(()),
        false => Err(invalid("type", "an event type has 1 to 64 of the characters a-z 0-9 _ . : -")),
    }
}

/// An amount in major units and its currency.
pub fn money(amount: Option<&(Decimal, String)>) -> Result<Option<Money>, Refusal> {
    let parsed = amount.map(|(amount, code)| Money::parse(*amount, code)).transpose();
    parsed.map_err(|error| invalid("amount", error.to_string()))
}

/// JSON that is kept with an event.
pub fn metadata(value: Option<&str>) -> Result<(), Refusal> {
    match value {
        Some(json) if json.len() > METADATA_MAX_BYTES => {
            Err(invalid("metadata", format!("metadata is at most {METADATA_MAX_BYTES} bytes of JSON")))
        }
        Some(json) if serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() => {
            Err(invalid("metadata", "metadata is not JSON"))
        }
        _ => Ok(()),
    }
}

/// When something happened: not after tomorrow.
pub fn occurred_at(at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    match at {
        Some(at) if at > now.plus_micros(DAY_MICROS) => Err(invalid("occurredAt", "occurredAt lies in the future")),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}

/// The hash of one value under the present key, and under the one before while there is one.
pub type Hashes = (Option<KeyedHash>, Option<KeyedHash>);

/// Hashes a value, if there is one, under both keys.
pub fn hashes(key: &HashKey, purpose: &str, value: Option<&str>) -> Hashes {
    (value.map(|value| key.hash(purpose, value)), value.and_then(|value| key.former_hash(purpose, value)))
}

/// The keyed hashes of an e-mail address.
pub fn email(key: &HashKey, value: Option<&str>) -> Result<Hashes, Refusal> {
    let normal =
        value.map(contact::normalise_email).transpose().map_err(|error| invalid("email", error.to_string()))?;
    Ok(hashes(key, "email", normal.as_deref()))
}

/// The keyed hashes of a phone number.
pub fn phone(key: &HashKey, value: Option<&str>) -> Result<Hashes, Refusal> {
    let normal =
        value.map(contact::normalise_phone).transpose().map_err(|error| invalid("phone", error.to_string()))?;
    Ok(hashes(key, "phone", normal.as_deref()))
}

/// A device id or browser name.
pub fn evidence(field: &'static str, value: &str) -> Result<(), Refusal> {
    text(field, value, EVIDENCE_MAX_CHARS)
}

/// An address and its network in their one spelling: /24 of IPv4, /56 of IPv6 (rule 20).
pub fn address_and_network(value: &str) -> Result<(String, String), Refusal> {
    let address: std::net::IpAddr =
        value.trim().parse().map_err(|_| invalid("ipAddress", "ipAddress is neither an IPv4 nor an IPv6 address"))?;
    Ok(spelled(address))
}

/// The keyed hashes of an address that was seen: of itself, and of its network.
pub fn address_hashes(key: &HashKey, address: std::net::IpAddr) -> (KeyedHash, KeyedHash) {
    let (address, network) = spelled(address);
    (key.hash("ip", &address), key.hash("network", &network))
}

fn spelled(address: std::net::IpAddr) -> (String, String) {
    let network = match visitor::network(address) {
        network @ std::net::IpAddr::V4(_) => format!("{network}/24"),
        network @ std::net::IpAddr::V6(_) => format!("{network}/56"),
    };
    (address.to_canonical().to_string(), network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let read = |text| address_and_network(text).unwrap();
        assert_eq!(read("192.0.2.1").1, read("::ffff:192.0.2.200").1);
        assert_ne!(read("192.0.2.1").0, read("192.0.2.2").0);
        assert_eq!(read("2001:db8:0:1::1").1, read("2001:db8:0:ff::2").1);
        assert_ne!(read("2001:db8:0:100::1").1, read("2001:db8:0:1::1").1);
        assert!(address_and_network("here").is_err());
    }

    #[test]
    fn odd_texts_are_refused() {
        for bad in ["", "  ", "a\nb", &"x".repeat(256)] {
            assert!(text("externalId", bad, KEY_MAX_CHARS).is_err(), "{bad:?}");
        }
        assert!(event_key("signup:user_1").is_err());
        assert!(metadata(Some("{")).is_err());
        assert_eq!(display_name(Some("  ")), Ok(None));
    }
}
