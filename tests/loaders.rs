//! A level of a query is one statement for each of its fields, whatever its width.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod support;

use banyan::engine::{
    claim_rewards::ClaimRewards,
    record_event::{RecordEvent, UserRef},
    sign_up::SignUp,
};
use serde_json::json;
use support::{Harness, each_backend};

/// People below the root, each with people of their own.
const WIDTH: usize = 100;
/// Statements of one field: its own, and at most two for what hangs below it.
const FIELD_STATEMENTS: u64 = 3;
/// Those of a place on a board: the program, its board, the scores, the histogram, what lies between, the different scores.
const PLACE_STATEMENTS: u64 = 6;

const USER: [&str; 23] = [
    "id status createdAt externalId displayName",
    "code",
    "link",
    "qrCodeUrl",
    "codes { code link program { key } }",
    "referrer { displayName }",
    "upline { displayName }",
    "referral { program { key } }",
    "referrals(first: 1) { totalCount nodes { code } pageInfo { hasNextPage } }",
    "referrals(first: 1, status: COMPLETED) { nodes { code } }",
    "referrals(last: 2) { nodes { referred { displayName } } }",
    "referredUsers(first: 2) { totalCount nodes { displayName } }",
    "referralCount",
    "completedReferralCount",
    "network { size levels { level signups completed } }",
    "rank { rank }",
    "rank(metric: SIGNUPS, period: DAY) { score }",
    "rewards(first: 2) { nodes { net { amount } } }",
    "rewards(status: AVAILABLE) { nodes { net { amount } } }",
    "claims { nodes { amount { amount } rewards { kind } } }",
    "events { nodes { type amount { amount } refunded { amount } decisions { rule } } }",
    "events(first: 1) { nodes { rewards { kind } user { displayName } } }",
    "balances { currencyCode available }",
];

const REFERRAL: [&str; 7] = [
    "id status via code createdAt completedAt rejectedAt",
    "click { clickedAt }",
    "risk { score standing signals { signal evidence } reviews { status } }",
    "referrer { displayName }",
    "referred { displayName }",
    "program { key }",
    "program { rules { key } qualifying { event } attributionWindowDays }",
];

const REWARD: [&str; 8] = [
    "id rule kind level version amount { amount } net { amount } status availableAt expiresAt createdAt explanation",
    "user { displayName }",
    "referral { code }",
    "event { type }",
    "event { user { displayName } rewards { kind } }",
    "program { key }",
    "history { toStatus }",
    "referral { referred { displayName } }",
];

async fn sign_up(harness: &Harness, external_id: &str, code: Option<&str>) -> (banyan::domain::id::Id, String) {
    let request = SignUp {
        external_id: external_id.to_owned(),
        display_name: Some(external_id.to_owned()),
        code: code.map(str::to_owned),
        ..SignUp::default()
    };
    let user = harness.engine().sign_up(request).await.unwrap().user;
    let query = "query ($id: ID!) { user(by: { id: $id }) { code } }";
    let id = user.id.typed(banyan::domain::id::Noun::User);
    let data = harness.admin().run(query, json!({ "id": id })).await;
    (user.id, data["user"]["code"].as_str().unwrap().to_owned())
}

async fn purchase(harness: &Harness, external_id: &str) {
    let request = RecordEvent {
        user: UserRef::ExternalId(external_id.to_owned()),
        event_type: "purchase".to_owned(),
        amount: Some(("25.00".parse().unwrap(), "USD".to_owned())),
        key: format!("order-{external_id}"),
        occurred_at: None,
        metadata: None,
    };
    harness.engine().record_event(request).await.unwrap();
}

/// A root, a hundred people below, two below each of them; everybody has bought something and claimed what it brought.
async fn grow(harness: &Harness) {
    let (_, root_code) = sign_up(harness, "root", None).await;
    let mut people = Vec::new();
    for number in 0..WIDTH {
        let name = format!("p{number}");
        let (id, code) = sign_up(harness, &name, Some(&root_code)).await;
        people.push(id);
        for child in ["a", "b"] {
            let name = format!("{name}{child}");
            sign_up(harness, &name, Some(&code)).await;
            purchase(harness, &name).await;
        }
        purchase(harness, &name).await;
    }
    harness.fold_all().await;
    for user in people {
        let request = ClaimRewards { user, rewards: None, key: "first".to_owned() };
        assert_eq!(harness.engine().claim_rewards(request).await.unwrap().len(), 1);
    }
    harness.fold_all().await;
    // Everybody came by a click of their own.
    let mut sql = harness.sql().await;
    sql.execute(
        "INSERT INTO clicks (id, code_key, program_id, user_id, created_at) \
         SELECT referred_id, codes.key, codes.program_id, codes.user_id, referrals.created_at \
         FROM referrals JOIN codes ON codes.user_id = referrals.referrer_id",
    )
    .await;
    sql.execute("UPDATE referrals SET click_id = referred_id").await;
}

/// Statements that a list of so many costs with these fields; the list has to be that long.
async fn statements(harness: &Harness, list: &str, width: usize, fields: &str) -> u64 {
    let query = format!(
        "{{ user(by: {{ externalId: \"root\" }}) {{ {list}(first: {width}) {{ nodes {{ id {fields} }} }} }} }}"
    );
    let before = harness.store().statements().count();
    let data = harness.admin().run(&query, json!({})).await;
    let cost = harness.store().statements().count() - before;
    assert_eq!(data["user"][list]["nodes"].as_array().unwrap().len(), width, "{data:#}");
    cost
}

#[test]
fn width_costs_no_statements() {
    each_backend(async |harness| {
        grow(&harness).await;
        for (list, selections) in [("referredUsers", &USER[..]), ("referrals", &REFERRAL), ("rewards", &REWARD)] {
            let bare = statements(&harness, list, 10, "").await;
            for fields in selections {
                let narrow = statements(&harness, list, 10, fields).await;
                let wide = statements(&harness, list, WIDTH, fields).await;
                assert_eq!(narrow, wide, "{list} {{ {fields} }}");
                let most = if fields.starts_with("rank") { PLACE_STATEMENTS } else { FIELD_STATEMENTS };
                assert!(narrow <= bare + most, "{list} {{ {fields} }} costs {narrow}, without it {bare}");
            }
        }
        harness.finish().await;
    });
}

/// A field that nobody counts the statements of may cost one for each row.
#[test]
fn no_field_is_forgotten() {
    each_backend(async |harness| {
        for (name, selections) in [("User", &USER[..]), ("Referral", &REFERRAL), ("Reward", &REWARD)] {
            let query = "query ($name: String!) { __type(name: $name) { fields { name } } }";
            let data = harness.admin().run(query, json!({ "name": name })).await;
            let fields = data["__type"]["fields"].as_array().unwrap();
            assert!(fields.len() > 10, "{data:#}");
            for field in fields.iter().map(|field| field["name"].as_str().unwrap()) {
                let is_counted = selections.iter().any(|selection| outermost(selection).any(|part| part == field));
                assert!(is_counted, "{name}.{field}");
            }
        }
        harness.finish().await;
    });
}

/// Names of the outermost fields of a selection.
fn outermost(selection: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    selection.split([' ', '(']).filter(move |part| {
        let is_outermost = depth == 0;
        depth += part.matches('{').count();
        depth -= part.matches('}').count();
        is_outermost
    })
}

#[test]
fn a_tree_costs_a_statement_a_level_or_one_in_all() {
    each_backend(async |harness| {
        grow(&harness).await;
        let below = "referredUsers(first: 30) { nodes { id ";
        let levels =
            format!("{{ viewer {{ id }} user(by: {{ externalId: \"root\" }}) {{ {below} {below} }} }} }} }} }} }}");
        let before = harness.store().statements().count();
        harness.admin().run(&levels, json!({})).await;
        assert_eq!(harness.store().statements().count() - before, 4, "the name, the root and two levels");
        let data = harness.admin().run("{ user(by: { externalId: \"root\" }) { id } }", json!({})).await;
        let tree = "query ($id: ID!) { referralTree(userId: $id, depth: 2, first: 100) {
            truncated root { externalId } nodes { level parentId user { displayName } } } }";
        let before = harness.store().statements().count();
        let data = harness.admin().run(tree, json!({ "id": data["user"]["id"] })).await;
        assert_eq!(harness.store().statements().count() - before, 1);
        assert_eq!(data["referralTree"]["nodes"].as_array().unwrap().len(), 1 + 3 * WIDTH);
        assert_eq!(data["referralTree"]["truncated"], json!(false));
        harness.finish().await;
    });
}

/// A user's own place, looked up for many at once, is the one that the leaderboard shows.
#[test]
fn places_agree_with_pages() {
    each_backend(async |harness| {
        grow(&harness).await;
        let admin = harness.admin();
        for (metric, periods) in [
            ("SIGNUPS", &["DAY", "ALL_TIME"][..]),
            ("REFERRALS", &["MONTH"]),
            ("REWARDS", &["WEEK"]),
            ("NETWORK", &["ALL_TIME"]),
        ] {
            for period in periods {
                let board = format!("metric: {metric}, period: {period}");
                let entry = "rank denseRank rowNumber score";
                let page = format!("{{ leaderboard({board}, first: 100) {{ nodes {{ user {{ id }} {entry} }} }} }}");
                let places = format!(
                    "{{ user(by: {{ externalId: \"root\" }}) {{ referredUsers(first: 100) {{ nodes {{ id \
                     rank({board}) {{ {entry} }} }} }} }} }}"
                );
                let page = admin.run(&page, json!({})).await;
                let places = admin.run(&places, json!({})).await;
                let page = page["leaderboard"]["nodes"].as_array().unwrap();
                let mut compared = 0;
                for person in places["user"]["referredUsers"]["nodes"].as_array().unwrap() {
                    let Some(shown) = page.iter().find(|entry| entry["user"]["id"] == person["id"]) else { continue };
                    for field in entry.split(' ') {
                        assert_eq!(shown[field], person["rank"][field], "{field} of {board}");
                    }
                    compared += 1;
                }
                assert!(compared >= 99, "{board}: {compared} places are on the page");
            }
        }
        harness.finish().await;
    });
}
