//! What became of a visit, told by the attribution of the signup after it.

use serde_json::{Value, json};

use crate::{
    site::{Browser, CLICKED, LANDING, Site, person, sign_up},
    support::{Harness, each_backend},
};

/// One way to come by a link, and the attribution that it must give.
struct Way {
    name: &'static str,
    headers: &'static [(&'static str, &'static str)],
    browser: Option<&'static str>,
    counts: bool,
}

const WAYS: [Way; 13] = [
    Way { name: "link", headers: &CLICKED, browser: None, counts: true },
    Way { name: "old browser", headers: &[], browser: None, counts: true },
    Way {
        name: "prefetch",
        headers: &[("sec-purpose", "prefetch"), ("sec-fetch-dest", "document")],
        browser: None,
        counts: false,
    },
    Way { name: "prerender", headers: &[("sec-purpose", "prefetch;prerender")], browser: None, counts: false },
    Way { name: "old prefetch", headers: &[("purpose", "prefetch")], browser: None, counts: false },
    Way { name: "older prefetch", headers: &[("x-moz", "prefetch")], browser: None, counts: false },
    Way {
        name: "image",
        headers: &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")],
        browser: None,
        counts: false,
    },
    Way {
        name: "iframe",
        headers: &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")],
        browser: None,
        counts: false,
    },
    Way { name: "script", headers: &[("sec-fetch-dest", "script")], browser: None, counts: false },
    Way { name: "fetch", headers: &[("sec-fetch-dest", "empty")], browser: None, counts: false },
    Way {
        name: "bot",
        headers: &[],
        browser: Some("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        counts: false,
    },
    Way { name: "preview", headers: &[], browser: Some("WhatsApp/2.23.20.0"), counts: false },
    Way { name: "no name", headers: &[], browser: Some(""), counts: false },
];

pub async fn clicks(harness: &Harness) -> i64 {
    harness.sql().await.number("SELECT count(*) AS number FROM clicks").await
}

#[test]
fn only_a_person_who_follows_a_link_is_brought_in() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        for (number, way) in (1..).zip(&WAYS) {
            let before = clicks(&harness).await;
            let mut browser = Browser::new(number);
            browser.name = way.browser.unwrap_or(&browser.name).to_owned();
            let answer = browser.get(&site, &format!("/r/{code}"), way.headers).await;
            let recorded = (clicks(&harness).await - before, answer.cookie.is_some());
            assert_eq!(recorded, (i64::from(way.counts), way.counts), "{}: {answer:?}", way.name);
            let attribution = browser.sign_up(&site, way.name, Value::Null).await;
            let expected = if way.counts { ("ATTRIBUTED", json!("LINK")) } else { ("NONE", Value::Null) };
            assert_eq!(
                (attribution["outcome"].as_str().unwrap(), attribution["via"].clone()),
                expected,
                "{}",
                way.name
            );
        }
        harness.finish().await;
    });
}

#[test]
fn what_looks_without_following_is_shown_the_page_and_what_comes_ahead_is_sent_away() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let path = format!("/r/{code}?utm_source=mail");
        let mut browser = Browser::new(1);
        let image = browser.get(&site, &path, &[("sec-fetch-dest", "image")]).await;
        assert_eq!((image.status, image.location.as_str()), (302, LANDING));
        let ahead = browser.get(&site, &path, &[("sec-purpose", "prefetch")]).await;
        assert_eq!((ahead.status, ahead.headers["cache-control"].to_str().unwrap()), (503, "no-store"));
        let mut head = browser.request(&path, &CLICKED);
        *head.method_mut() = axum::http::Method::HEAD;
        let head = site.ask(head).await;
        assert_eq!((head.status, head.location.as_str(), head.cookie), (302, LANDING, None));
        assert_eq!(clicks(&harness).await, 0);
        let post = axum::http::Request::post(&path).body(axum::body::Body::empty()).unwrap();
        assert_eq!(site.ask(post).await.status, 405);
        harness.finish().await;
    });
}

#[test]
fn the_host_passes_the_click_on_and_learns_the_campaign() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, code) = person(&site, "ann", Value::Null).await;
        let answer = Browser::new(1)
            .get(&site, &format!("/r/{}?utm_source=mail&utm_term=a%26b", code.to_lowercase()), &CLICKED)
            .await;
        assert_eq!((answer.status, answer.parameter("ref")), (302, Some(code.clone())));
        assert_eq!(answer.parameter("utm_term").as_deref(), Some("a&b"));
        let click = answer.click();
        let attribution = sign_up(&site, "ben", json!({"clickId": click})).await;
        assert_eq!(attribution["outcome"], "ATTRIBUTED");
        assert_eq!((&attribution["via"], &attribution["code"]), (&json!("LINK"), &json!(code)));
        assert_eq!(attribution["click"]["clickId"], json!(click));
        let campaign = json!([{"name": "utm_source", "value": "mail"}, {"name": "utm_term", "value": "a&b"}]);
        assert_eq!(
            attribution["referral"],
            json!({"via": "LINK", "code": code, "click": {"id": click, "campaign": campaign}})
        );
        let again = sign_up(&site, "ben", json!({"code": "OTHER"})).await;
        assert_eq!(again, attribution, "once and for all");
        let query = "{ user(by: {externalId: \"ben\"}) { referrer { id } } }";
        assert_eq!(site.host(query, Value::Null).await["user"]["referrer"]["id"], json!(ann));
        harness.finish().await;
    });
}

#[test]
fn a_click_counts_for_as_long_as_its_program_says() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let mut browser = Browser::new(1);
        let first = browser.follow(&site, &code).await;
        assert!(first.cookie.as_ref().unwrap().contains("; Max-Age=604800"), "{first:?}");
        harness.clock().pass_seconds(7 * 86_400 - 60);
        let in_time = browser.sign_up(&site, "ben", Value::Null).await;
        assert_eq!(in_time["outcome"], "ATTRIBUTED");
        harness.clock().pass_seconds(120);
        for (name, attribution) in [
            ("cleo", browser.sign_up(&site, "cleo", Value::Null).await),
            ("dan", sign_up(&site, "dan", json!({"clickId": first.click()})).await),
        ] {
            assert_eq!(
                (&attribution["outcome"], &attribution["via"]),
                (&json!("CLICK_EXPIRED"), &Value::Null),
                "{name}"
            );
            assert_eq!(
                (&attribution["click"]["clickId"], &attribution["referral"]),
                (&json!(first.click()), &Value::Null)
            );
        }
        assert_eq!(
            sign_up(&site, "eve", json!({"clickId": first.click(), "code": code})).await["outcome"],
            "ATTRIBUTED"
        );
        harness.finish().await;
    });
}

#[test]
fn a_cookie_that_was_tampered_with_or_sent_by_another_site_is_ignored() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let (_, other) = person(&site, "bob", Value::Null).await;
        let mut browser = Browser::new(1);
        browser.follow(&site, &code).await;
        let genuine = browser.cookie.clone().unwrap();
        let mut stranger = Browser::new(2);
        let click = stranger.follow(&site, &other).await.click();
        let signature = genuine.rsplit_once('.').unwrap().1;
        let flipped = format!("{}A", &genuine[..genuine.len() - 1]);
        let forged = [format!("{click}.{signature}"), flipped, click, "x".to_owned(), String::new(), "x".repeat(4_000)];
        for (number, cookie) in forged.into_iter().enumerate() {
            if cookie == genuine {
                continue;
            }
            browser.cookie = Some(cookie.clone());
            let attribution = browser.sign_up(&site, &format!("forged-{number}"), Value::Null).await;
            assert_eq!(attribution["outcome"], "NONE", "{cookie}");
        }
        browser.cookie = Some(genuine);
        assert_eq!(browser.sign_up_from(&site, "cross", Value::Null, "cross-site").await["outcome"], "NONE");
        assert_eq!(browser.sign_up_from(&site, "same", Value::Null, "same-origin").await["outcome"], "ATTRIBUTED");
        harness.finish().await;
    });
}

/// A program with an attribution model and a code of somebody in it.
pub async fn code_in(site: &Site, model: &str, user: &str) -> String {
    let create = "mutation ($input: CreateProgramInput!) { createProgram(input: $input) { program { id } userErrors { message } } }";
    let key = model.to_lowercase();
    let input =
        json!({"key": key, "name": model, "currencyCode": "USD", "rules": [], "activate": true, "attribution": model});
    let known = "query ($key: String!) { program(by: {key: $key}) { id } }";
    let mut program = site.host(known, json!({"key": key})).await["program"]["id"].clone();
    if program.is_null() {
        program = site.host(create, json!({"input": input})).await["createProgram"]["program"]["id"].clone();
    }
    let code = "mutation ($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { code { code } userErrors { code } } }";
    let made = site.host(code, json!({"input": {"userId": user, "programId": program}})).await;
    made["createReferralCode"]["code"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn of_two_links_the_programs_model_says_which_counts() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, _) = person(&site, "ann", Value::Null).await;
        let (bob, _) = person(&site, "bob", Value::Null).await;
        for (number, model, winner) in [(1, "FIRST_TOUCH", 0), (2, "LAST_TOUCH", 1)] {
            let codes = [code_in(&site, model, &ann).await, code_in(&site, model, &bob).await];
            let mut browser = Browser::new(number);
            let first = browser.follow(&site, &codes[0]).await.click();
            harness.clock().pass_seconds(60);
            let second = browser.follow(&site, &codes[1]).await.click();
            let clicks = [&first, &second];
            let lost = json!([{"clickId": clicks[1 - winner], "code": codes[1 - winner], "reason": "OTHER_CLICK"}]);
            // By the browser's cookie, and by a host that passes only the last click on.
            let by_cookie = browser.sign_up(&site, &format!("{model}-member"), Value::Null).await;
            let by_host = sign_up(&site, &format!("{model}-host"), json!({"clickId": second})).await;
            for attribution in [by_cookie, by_host] {
                assert_eq!(attribution["code"], json!(codes[winner]), "{model}: {attribution:#}");
                assert_eq!(
                    (&attribution["click"]["clickId"], &attribution["lostTouches"]),
                    (&json!(clicks[winner]), &lost)
                );
            }
        }
        harness.finish().await;
    });
}

#[test]
fn a_click_that_the_host_passes_on_takes_its_place_among_those_of_the_browser() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, ann) = person(&site, "ann", Value::Null).await;
        let (_, bob) = person(&site, "bob", Value::Null).await;
        let mut elsewhere = Browser::new(1);
        let early = elsewhere.follow(&site, &ann).await.click();
        harness.clock().pass_seconds(60);
        let mut browser = Browser::new(2);
        let middle = browser.follow(&site, &bob).await.click();
        harness.clock().pass_seconds(60);
        let late = elsewhere.follow(&site, &bob).await.click();
        for (name, passed_on, expected) in [("cleo", early, &middle), ("dan", late.clone(), &late)] {
            let attribution = browser.sign_up(&site, name, json!({"clickId": passed_on})).await;
            assert_eq!(attribution["click"]["clickId"], json!(expected), "{name}: {attribution:#}");
        }
        harness.finish().await;
    });
}

#[test]
fn a_code_typed_by_hand_goes_before_clicks_and_decides_alone() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, ann) = person(&site, "ann", Value::Null).await;
        let (_, bob) = person(&site, "bob", Value::Null).await;
        let mut browser = Browser::new(1);
        let click = browser.follow(&site, &ann).await.click();
        let typed = browser.sign_up(&site, "cleo", json!({"code": format!(" {} ", bob.to_lowercase())})).await;
        assert_eq!(
            (&typed["outcome"], &typed["via"], &typed["code"]),
            (&json!("ATTRIBUTED"), &json!("CODE"), &json!(bob))
        );
        assert_eq!(typed["lostTouches"], json!([{"clickId": click, "code": ann, "reason": "CODE_GIVEN"}]));
        assert_eq!(typed["click"], Value::Null);

        let wrong = browser.sign_up(&site, "dan", json!({"code": "N0-SUCH-C0DE"})).await;
        assert_eq!(
            (&wrong["outcome"], &wrong["code"], &wrong["referral"]),
            (&json!("CODE_UNKNOWN"), &Value::Null, &Value::Null)
        );
        assert_eq!(wrong["lostTouches"].as_array().unwrap().len(), 1);

        let both = sign_up(&site, "eve", json!({"code": ann, "clickId": click})).await;
        assert_eq!(
            (&both["via"], &both["click"]["clickId"]),
            (&json!("CODE"), &json!(click)),
            "the link passes both on"
        );
        assert_eq!((&both["lostTouches"], &both["referral"]["click"]["id"]), (&json!([]), &json!(click)));

        for click in ["click_01h455vb4pex5vsknk084sn02q", "user_01h455vb4pex5vsknk084sn02q", "nonsense"] {
            let unknown = sign_up(&site, &format!("who-{click}"), json!({"clickId": click})).await;
            assert_eq!((&unknown["outcome"], &unknown["click"]), (&json!("CLICK_UNKNOWN"), &Value::Null), "{click}");
        }
        assert_eq!(sign_up(&site, "blank", json!({"clickId": " ", "code": ""})).await["outcome"], "NONE");
        harness.finish().await;
    });
}

#[test]
fn ones_own_click_and_one_of_somebody_suspended_bring_nobody_in() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, ann) = person(&site, "ann", json!({"email": "ann.lee@gmail.com"})).await;
        let (bob_id, bob) = person(&site, "bob", json!({"phone": "+49 30 1234567"})).await;
        let mut browser = Browser::new(1);
        browser.follow(&site, &ann).await;
        let own = browser.sign_up(&site, "ann-2", json!({"email": "annlee+2@googlemail.com"})).await;
        assert_eq!(
            (&own["outcome"], &own["code"], &own["referral"]),
            (&json!("SELF_REFERRAL"), &json!(ann), &Value::Null)
        );

        let click = browser.follow(&site, &bob).await.click();
        let phone = sign_up(&site, "bob-2", json!({"phone": "0049301234567", "clickId": click})).await;
        assert_eq!(
            (&phone["outcome"], &phone["code"]),
            (&json!("ATTRIBUTED"), &json!(ann)),
            "the click before is not his"
        );
        assert_eq!(phone["lostTouches"][0]["reason"], "SELF_REFERRAL");

        let suspend =
            "mutation ($id: ID!) { suspendUser(input: {userId: $id, reason: \"a test\"}) { userErrors { code } } }";
        site.host(suspend, json!({"id": bob_id})).await;
        let mut alone = Browser::new(2);
        let late = alone.follow(&site, &bob).await;
        assert_eq!((late.status, late.location.as_str(), late.cookie), (302, LANDING, None));
        let suspended = sign_up(&site, "cleo", json!({"clickId": click})).await;
        assert_eq!((&suspended["outcome"], &suspended["code"]), (&json!("ATTRIBUTED"), &json!(ann)));
        assert_eq!(suspended["lostTouches"][0]["reason"], "CODE_DISABLED");
        let typed = sign_up(&site, "dan", json!({"code": bob})).await;
        assert_eq!((&typed["outcome"], &typed["referral"]), (&json!("CODE_DISABLED"), &Value::Null));
        harness.finish().await;
    });
}
