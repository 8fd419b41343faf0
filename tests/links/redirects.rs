//! Where links lead, and where they never do.

use serde_json::{Value, json};

use crate::{
    site::{Browser, CLICKED, LANDING, Site, person},
    support::each_backend,
};

#[test]
fn a_link_leads_to_the_landing_page_with_what_the_host_needs() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let answer = Browser::new(1).follow(&site, &code).await;
        let click = answer.click();
        assert_eq!(answer.location, format!("{LANDING}?ref={code}&click_id={click}"));
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(answer.headers[name], value, "{name}");
        }
        let cookie = answer.cookie.unwrap();
        assert!(cookie.starts_with(&format!("referral_code={click}.")), "{cookie}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=604800"] {
            assert!(cookie.split("; ").any(|found| found == part), "{part} in {cookie}");
        }
        let plain = Site::of(&harness, &["--public-url", "http://127.0.0.1:8080"]).await;
        let cookie = Browser::new(2).follow(&plain, &code).await.cookie.unwrap();
        assert!(!cookie.contains("Secure"), "{cookie}");
        harness.finish().await;
    });
}

#[test]
fn links_that_lead_to_nobody_all_look_alike() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (id, code) = person(&site, "ann", Value::Null).await;
        let create =
            "mutation ($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { userErrors { code } } }";
        site.host(create, json!({"input": {"userId": id, "code": "SOON-OVER", "expiresAt": "2026-03-05T00:00:00Z"}}))
            .await;
        harness.clock().pass_days(1);
        let disable = "mutation ($code: String!) { disableReferralCode(input: {code: $code}) { userErrors { code } } }";
        site.host(disable, json!({"code": code})).await;
        let mut seen = Vec::new();
        for path in [
            "/r/UNKNOWN",
            &format!("/r/{code}"),
            "/r/SOON-OVER",
            "/r/%00",
            "/r/%ff",
            "/r/a%2Fb",
            &format!("/r/{}", "A".repeat(300)),
        ] {
            let answer =
                Browser::new(1).get(&site, &format!("{path}?to=https://evil.example&utm_source=x"), &CLICKED).await;
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort_unstable();
            seen.push((answer.status, answer.location, answer.cookie, names, answer.body));
        }
        assert_eq!((seen[0].0, seen[0].1.as_str(), &seen[0].2), (302, LANDING, &None));
        assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
        assert_eq!(harness.sql().await.number("SELECT count(*) AS number FROM clicks").await, 0);
        harness.finish().await;
    });
}

#[test]
fn a_program_has_a_page_and_names_of_its_own() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let update = "mutation ($input: UpdateProgramInput!) { updateProgram(input: $input) {
            program { version landingUrl refParameter clickIdParameter } userErrors { field } } }";
        let program =
            site.host("{ program(by: {key: \"default\"}) { id version } }", Value::Null).await["program"].clone();
        let change = async |change: Value| {
            let mut input = change;
            input["programId"] = program["id"].clone();
            site.host(update, json!({"input": input})).await["updateProgram"].clone()
        };
        let changed = change(json!({"landingUrl": "https://club.example/?via=old&x=1", "refParameter": "via", "clickIdParameter": "cid"})).await;
        assert_eq!(changed["program"]["version"], program["version"], "no promise changed");
        let answer = Browser::new(1).follow(&site, &code).await;
        let click = answer.parameter("cid").unwrap();
        assert_eq!(answer.location, format!("https://club.example/?x=1&via={code}&cid={click}"));
        for (wrong, field) in [
            (json!({"landingUrl": "javascript:alert(1)"}), "landingUrl"),
            (json!({"landingUrl": "https://a:b@shop.example"}), "landingUrl"),
            (json!({"refParameter": "a b"}), "refParameter"),
            (json!({"clickIdParameter": "utm_source"}), "clickIdParameter"),
            (json!({"clickIdParameter": "via"}), "clickIdParameter"),
        ] {
            let refused = change(wrong.clone()).await;
            assert_eq!(refused["userErrors"], json!([{"field": [field]}]), "{wrong}");
        }
        let back = change(json!({"landingUrl": null})).await;
        assert_eq!(
            back["program"],
            json!({"version": program["version"], "landingUrl": null, "refParameter": "via", "clickIdParameter": "cid"})
        );
        harness.finish().await;
    });
}

#[test]
fn a_link_leads_elsewhere_only_to_hosts_on_the_list() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &["--landing-hosts", "app.example,shop.example"]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let lead = async |to: &str| {
            let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
            Browser::new(1).get(&site, &format!("/r/{code}?to={to}"), &CLICKED).await
        };
        let allowed = lead("https://app.example/sale?x=1#top").await;
        assert!(allowed.location.starts_with("https://app.example/sale?x=1&ref="), "{allowed:?}");
        for attack in [
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https:///evil.example",
            "http://app.example/",
            "https://evil.example/",
            "https://evil.example/https://app.example/",
            "https://app.example.evil.example/",
            "https://app.example@evil.example/",
            "https://app.example:x@evil.example/",
            "https://user@app.example/",
            "https://app.example:8443/",
            "https://app.example\\.evil.example/",
            "https://app.example%2f.evil.example/",
            "https://app.example./",
            "https://xapp.example/",
            "https://арр.example/",
            "https://app。example/",
            "https://app.example/\r\nset-cookie: x=1",
            "https://app.example/\nx",
            "\thttps://app.example/",
            "javascript://app.example/%0aalert(1)",
            "data:text/html,x",
            "",
        ] {
            let answer = lead(attack).await;
            assert!(answer.location.starts_with(&format!("{LANDING}?ref=")), "{attack:?}: {}", answer.location);
            assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1, "{attack:?}");
        }
        let twice = Browser::new(1)
            .get(&site, &format!("/r/{code}?to=https://app.example/a&to=https://evil.example"), &CLICKED)
            .await;
        assert!(twice.location.starts_with("https://app.example/a?ref="), "{twice:?}");
        harness.finish().await;
    });
}

#[test]
fn a_link_has_a_picture_that_tells_nothing() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (id, code) = person(&site, "ann", Value::Null).await;
        let query = "query ($id: ID!) { user(by: {id: $id}) { link qrCodeUrl codes { link qrCodeUrl } } }";
        let user = site.host(query, json!({"id": id})).await["user"].clone();
        assert_eq!(user["link"], json!(format!("https://refer.example/r/{code}")));
        assert_eq!(user["qrCodeUrl"], json!(format!("https://refer.example/r/{code}/qr.svg")));
        assert_eq!(user["codes"][0]["qrCodeUrl"], user["qrCodeUrl"]);
        let before = harness.store().statements().count();
        let known = Browser::new(1).get(&site, &format!("/r/{code}/qr.svg"), &[]).await;
        let unknown = Browser::new(1).get(&site, "/r/UNKNOWN/qr.svg", &[]).await;
        assert_eq!(harness.store().statements().count(), before, "nothing is looked up");
        for answer in [&known, &unknown] {
            assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
            assert!(answer.body.contains("<svg"), "{answer:?}");
        }
        assert_eq!(Browser::new(1).get(&site, "/r/%3Cscript%3E/qr.svg", &[]).await.status, 404);
        harness.finish().await;
    });
}
