//! One token after another, good and bad, and what the verifier says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{NOW, SECRET, ann, ec, hmac, ok, signed};
use crate::http::auth::test_keys::{
    EC_PRIVATE, EC_PUBLIC, ED_PRIVATE, ED_PUBLIC, OTHER_EC_PRIVATE, RSA_PRIVATE, RSA_PUBLIC,
};
use crate::http::auth::{JwtSettings, SettingsError, TokenRefused, Verifier};

fn by_secret() -> JwtSettings {
    JwtSettings { secret: Some(SECRET.to_owned()), ..JwtSettings::default() }
}

fn by_public_key(pem: &str) -> JwtSettings {
    JwtSettings { public_key_pem: Some(pem.to_owned()), ..JwtSettings::default() }
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap()
}

/// A claim changed, or taken away with `null`.
fn ann_with(name: &str, value: Value) -> Value {
    let mut claims = ann();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header at all, signed with the secret as HS256 does.
fn signed_with_header(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &hmac(SECRET), Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

async fn verdict(settings: &JwtSettings, token: &str) -> Result<String, TokenRefused> {
    let verified = Verifier::new(settings).unwrap().verify(token, NOW).await?;
    Ok(verified.subject)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_key_verifies_its_own_algorithms_and_no_other() {
    let ed = EncodingKey::from_ed_pem(ED_PRIVATE.as_bytes()).unwrap();
    let tokens = [
        signed(Algorithm::HS256, &hmac(SECRET), &ann()),
        signed(Algorithm::RS256, &rsa(), &ann()),
        signed(Algorithm::PS256, &rsa(), &ann()),
        signed(Algorithm::ES256, &ec(EC_PRIVATE), &ann()),
        signed(Algorithm::EdDSA, &ed, &ann()),
    ];
    let good_for: [(JwtSettings, &[usize]); 4] = [
        (by_secret(), &[0]),
        (by_public_key(RSA_PUBLIC), &[1, 2]),
        (by_public_key(EC_PUBLIC), &[3]),
        (by_public_key(ED_PUBLIC), &[4]),
    ];
    for (settings, accepted) in &good_for {
        for (index, token) in tokens.iter().enumerate() {
            let expected = if accepted.contains(&index) { ok() } else { Err(TokenRefused::Algorithm) };
            assert_eq!(verdict(settings, token).await, expected, "token {index} with {settings:?}");
        }
    }
    let both = JwtSettings { secret: Some(SECRET.into()), ..by_public_key(EC_PUBLIC) };
    assert_eq!(verdict(&both, &tokens[0]).await, ok());
    assert_eq!(verdict(&both, &tokens[3]).await, ok());
    assert_eq!(verdict(&JwtSettings::default(), &tokens[0]).await, Err(TokenRefused::NotConfigured));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_not_choose_how_it_is_checked() {
    let hs = |header: Value| signed_with_header(&header, &ann());
    let plain = |algorithm: &str| format!("{}.{}.", part(&json!({ "alg": algorithm })), part(&ann()));
    let own_key = Jwk::from_encoding_key(&ec(OTHER_EC_PRIVATE), Algorithm::ES256).unwrap();
    let mut with_own_key = Header::new(Algorithm::ES256);
    with_own_key.jwk = Some(own_key);
    with_own_key.jku = Some("http://127.0.0.1:9/evil".to_owned());
    let with_own_key = jsonwebtoken::encode(&with_own_key, &ann(), &ec(OTHER_EC_PRIVATE)).unwrap();
    let (secret, public) = (by_secret(), by_public_key(RSA_PUBLIC));
    let table = [
        (&secret, plain("none"), Err(TokenRefused::Malformed)),
        (&secret, plain("None"), Err(TokenRefused::Malformed)),
        (&secret, plain("HS256"), Err(TokenRefused::Signature)),
        (&secret, plain(""), Err(TokenRefused::Malformed)),
        // The public key taken for a secret: the oldest confusion of all.
        (&public, signed(Algorithm::HS256, &hmac(RSA_PUBLIC), &ann()), Err(TokenRefused::Algorithm)),
        (&secret, signed(Algorithm::HS384, &hmac(SECRET), &ann()), Err(TokenRefused::Algorithm)),
        (&secret, signed(Algorithm::HS512, &hmac(SECRET), &ann()), Err(TokenRefused::Algorithm)),
        (&public, signed(Algorithm::RS512, &rsa(), &ann()), Err(TokenRefused::Algorithm)),
        (
            &secret,
            signed(Algorithm::HS256, &hmac("another secret of thirty-two byte"), &ann()),
            Err(TokenRefused::Signature),
        ),
        (&by_public_key(EC_PUBLIC), with_own_key, Err(TokenRefused::Signature)),
        (&secret, hs(json!({ "alg": "HS256" })), ok()),
        (&secret, hs(json!({ "alg": "HS256", "kid": "../../etc/passwd", "jku": "http://127.0.0.1:9/x" })), ok()),
        (&secret, hs(json!({ "alg": "HS256", "typ": "JWT" })), ok()),
        (&secret, hs(json!({ "alg": "HS256", "typ": "at+jwt" })), ok()),
        (&secret, hs(json!({ "alg": "HS256", "typ": "dpop+jwt" })), Err(TokenRefused::Kind)),
        (&secret, hs(json!({ "alg": "HS256", "typ": "logout+jwt" })), Err(TokenRefused::Kind)),
        (&secret, hs(json!({ "alg": "HS256", "crit": ["b64"], "b64": false })), Err(TokenRefused::Kind)),
        (&secret, hs(json!({ "alg": "HS256", "zip": "DEF" })), Err(TokenRefused::Kind)),
        (&secret, hs(json!({ "typ": "JWT" })), Err(TokenRefused::Malformed)),
        (&secret, hs(json!({ "alg": ["HS256"] })), Err(TokenRefused::Malformed)),
    ];
    for (settings, token, expected) in table {
        assert_eq!(verdict(settings, &token).await, expected, "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_required_typed_and_compared_with_our_clock() {
    let long = |chars: usize| json!("\u{e9}".repeat(chars));
    let table = [
        ("exp", json!(NOW + 1), ok()),
        ("exp", json!(NOW as f64 + 1.5), ok()),
        ("exp", json!(NOW - 29), ok()),
        ("exp", json!(NOW - 30), Err(TokenRefused::Expired)),
        ("exp", json!(NOW - 61), Err(TokenRefused::Expired)),
        ("exp", json!(0), Err(TokenRefused::Expired)),
        ("exp", json!(u64::MAX), ok()),
        ("exp", json!(1e300), ok()),
        ("exp", json!(-1), Err(TokenRefused::Malformed)),
        ("exp", json!((NOW + 600).to_string()), Err(TokenRefused::Malformed)),
        ("exp", json!(true), Err(TokenRefused::Malformed)),
        ("exp", json!([NOW + 600]), Err(TokenRefused::Malformed)),
        ("exp", Value::Null, Err(TokenRefused::NoExpiry)),
        ("nbf", json!(NOW), ok()),
        ("nbf", json!(NOW + 30), ok()),
        ("nbf", json!(NOW + 31), Err(TokenRefused::NotYetValid)),
        ("nbf", json!((NOW + 600).to_string()), Err(TokenRefused::Malformed)),
        ("nbf", json!({}), Err(TokenRefused::Malformed)),
        ("sub", Value::Null, Err(TokenRefused::Subject)),
        ("sub", json!(""), Err(TokenRefused::Subject)),
        ("sub", json!("a\u{0}b"), Err(TokenRefused::Subject)),
        ("sub", json!("a\nb"), Err(TokenRefused::Subject)),
        ("sub", json!(42), Err(TokenRefused::Malformed)),
        ("sub", long(256), Err(TokenRefused::Subject)),
        ("sub", long(255), Ok("\u{e9}".repeat(255))),
        ("aud", json!("whoever"), ok()),
        ("iss", json!("whoever"), ok()),
        ("role", json!("admin"), ok()),
    ];
    for (name, value, expected) in table {
        let token = signed(Algorithm::HS256, &hmac(SECRET), &ann_with(name, value.clone()));
        assert_eq!(verdict(&by_secret(), &token).await, expected, "{name}: {value}");
    }
    let null_expiry = signed(Algorithm::HS256, &hmac(SECRET), &json!({ "sub": "ann", "exp": null }));
    assert_eq!(verdict(&by_secret(), &null_expiry).await, Err(TokenRefused::Malformed));
    let (verifier, token) = (Verifier::new(&by_secret()).unwrap(), signed(Algorithm::HS256, &hmac(SECRET), &ann()));
    assert_eq!(verifier.verify(&token, NOW).await.unwrap().believed_until_unix_seconds, NOW + 630);
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_and_audience_are_required_where_they_are_set() {
    let settings = JwtSettings { issuer: Some("https://host".into()), audience: Some("banyan".into()), ..by_secret() };
    let table = [
        (json!("https://host"), json!("banyan"), ok()),
        (json!("https://host"), json!(["other", "banyan"]), ok()),
        (json!("https://host"), json!(["other"]), Err(TokenRefused::Audience)),
        (json!("https://host"), json!("banyan-admin"), Err(TokenRefused::Audience)),
        (json!("https://host"), json!([]), Err(TokenRefused::Audience)),
        (json!("https://host"), Value::Null, Err(TokenRefused::Audience)),
        (json!("https://host"), json!(7), Err(TokenRefused::Malformed)),
        (json!("https://host/"), json!("banyan"), Err(TokenRefused::Issuer)),
        (json!("https://evil"), json!("banyan"), Err(TokenRefused::Issuer)),
        (json!(["https://host"]), json!("banyan"), Err(TokenRefused::Malformed)),
        (Value::Null, json!("banyan"), Err(TokenRefused::Issuer)),
    ];
    for (issuer, audience, expected) in table {
        let mut claims = ann_with("iss", issuer.clone());
        if !audience.is_null() {
            claims["aud"] = audience.clone();
        }
        let token = signed(Algorithm::HS256, &hmac(SECRET), &claims);
        assert_eq!(verdict(&settings, &token).await, expected, "{issuer} for {audience}");
    }
    let empty = JwtSettings { issuer: Some(String::new()), ..by_secret() };
    assert_eq!(Verifier::new(&empty).err(), Some(SettingsError::EmptyName));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused_before_any_work() {
    let good = signed(Algorithm::HS256, &hmac(SECRET), &ann());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let large = signed(Algorithm::HS256, &hmac(SECRET), &ann_with("pad", json!("x".repeat(9_000))));
    let table = [
        (String::new(), TokenRefused::Malformed),
        ("..".to_owned(), TokenRefused::Malformed),
        ("a.b.c".to_owned(), TokenRefused::Malformed),
        ("a.b".to_owned(), TokenRefused::Malformed),
        (format!("{good}.x"), TokenRefused::Malformed),
        (format!("{message}."), TokenRefused::Signature),
        (format!("{message}.{}", signature.to_lowercase()), TokenRefused::Signature),
        (format!("{message}.!!!"), TokenRefused::Malformed),
        (format!("{good}="), TokenRefused::Malformed),
        ("\u{1F600}.\u{1F600}.\u{1F600}".to_owned(), TokenRefused::Malformed),
        (large, TokenRefused::TooLong),
        ("x".repeat(1_000_000), TokenRefused::TooLong),
        (".".repeat(1_000_000), TokenRefused::TooLong),
    ];
    for (token, expected) in table {
        assert_eq!(
            verdict(&by_secret(), &token).await,
            Err(expected),
            "{}",
            token.chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn debug_shows_no_secret() {
    let settings = JwtSettings { secret: Some("hush".repeat(8)), ..JwtSettings::default() };
    let shown = format!("{:?} {:?}", settings, Verifier::new(&settings).unwrap());
    assert!(!shown.contains("hush"), "{shown}");
}
