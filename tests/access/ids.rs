//! Other people's ids open nothing: what is not yours and what does not exist get the same answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    ask::first,
    house::{House, in_the_house},
    matrix::Way,
    schema::Schema,
    support::Actor,
};

/// An id that nobody has, behind the prefix of its noun.
const NOBODY: &str = "00000000000000000000000001";

/// Every place that takes an id, and the way by which a member gives one there.
const PLACES: [(&str, &str); 33] = [
    ("ClaimRewardsInput.rewardIds", "claimRewards(input: {rewardIds: [<id>], idempotencyKey: \"k\"})"),
    ("ClaimRewardsInput.userId", "claimRewards(input: {userId: <id>, idempotencyKey: \"k\"})"),
    ("CreateReferralCodeInput.programId", "createReferralCode(input: {userId: \"x\", programId: <id>})"),
    ("CreateReferralCodeInput.userId", "createReferralCode(input: {userId: <id>})"),
    ("EraseUserInput.userId", "eraseUser(input: {userId: <id>, reason: \"r\"})"),
    ("MoveUserInput.referrerId", "moveUser(input: {userId: \"x\", referrerId: <id>, reason: \"r\"})"),
    ("MoveUserInput.userId", "moveUser(input: {userId: <id>, referrerId: \"x\", reason: \"r\"})"),
    ("ProgramBy.id", "program(by: {id: <id>})"),
    ("Query.auditLog(subject)", "auditLog(subject: <id>)"),
    ("Query.exportUser(userId)", "exportUser(userId: <id>)"),
    ("Query.leaderboard(programId)", "leaderboard(programId: <id>)"),
    ("Query.ledger(userId)", "ledger(userId: <id>)"),
    ("Query.node(id)", "node(id: <id>)"),
    ("Query.nodes(ids)", "nodes(ids: [<id>, <id>])"),
    ("Query.referralTree(userId)", "referralTree(userId: <id>)"),
    ("Query.reviews(referrerId)", "reviews(referrerId: <id>)"),
    ("RecordEventInput.userId", "recordEvent(input: {userId: <id>, type: \"t\", idempotencyKey: \"k\"})"),
    ("ReinstateUserInput.userId", "reinstateUser(input: {userId: <id>, reason: \"r\"})"),
    ("RemoveListingInput.listingId", "removeListing(input: {listingId: <id>, reason: \"r\"})"),
    ("ReviewReferralInput.referralId", "reviewReferral(input: {referralId: <id>, decision: DENY, reason: \"r\"})"),
    ("RevokeApiKeyInput.apiKeyId", "revokeApiKey(input: {apiKeyId: <id>})"),
    ("RewardFilter.userId", "rewards(filter: {userId: <id>})"),
    ("SetProgramStatusInput.programId", "setProgramStatus(input: {programId: <id>, status: ENDED})"),
    ("SettleClaimInput.claimId", "settleClaim(input: {claimId: <id>, outcome: PAID})"),
    (
        "SimulateProgramInput.programId",
        "simulateProgram(input: {programId: <id>}, from: \"2026-01-01T00:00:00Z\", to: \"2027-01-01T00:00:00Z\")",
    ),
    ("Subscription.leaderboard(programId)", "subscription leaderboard(programId: <id>)"),
    ("Subscription.referralCount(userId)", "subscription referralCount(userId: <id>)"),
    ("Subscription.rewardUpdated(userId)", "subscription rewardUpdated(userId: <id>)"),
    ("SuspendUserInput.userId", "suspendUser(input: {userId: <id>, reason: \"r\"})"),
    ("UpdateProgramInput.programId", "updateProgram(input: {programId: <id>, name: \"n\"})"),
    ("UpdateUserInput.userId", "updateUser(input: {userId: <id>})"),
    ("User.rank(programId)", "viewer > rank(programId: <id>)"),
    ("UserBy.id", "user(by: {id: <id>})"),
];

/// Places that take the id of any program: boards are for everybody.
const OF_ANY_PROGRAM: [&str; 3] =
    ["Query.leaderboard(programId)", "Subscription.leaderboard(programId)", "User.rank(programId)"];

/// Ids of what is not Ben's: of people above and beside, and what belongs to those below.
fn foreign(house: &House) -> Vec<String> {
    let mut ids = Vec::new();
    for (noun, people) in [
        ("user", &["ann", "zoe", "dan", "pia", "gus"][..]),
        ("referral", &["ann", "pia", "gus"]),
        ("event", &["ann", "dan", "cleo", "gus", "eli"]),
        ("reward", &["ann", "dan", "cleo", "eli"]),
        ("claim", &["ann", "dan", "cleo"]),
    ] {
        ids.extend(people.iter().map(|person| house.word(&format!("{noun} of {person}")).to_owned()));
    }
    ids.extend(["program", "draft", "listing", "key"].map(|word| house.word(word).to_owned()));
    ids
}

/// The document of a place, which asks for what would tell most.
fn document(schema: &Schema, path: &str) -> String {
    let way = Way::along(path);
    let is_plain = way.begins_with() == "exportUser";
    let is_mutation = schema.field("Mutation", way.begins_with()).is_some();
    let selection = if is_mutation { "userErrors { code message field }" } else { "__typename" };
    schema.document(&way, (!is_plain).then_some(selection))
}

async fn answer(actor: &Actor, document: &str, id: &str) -> Value {
    let filled = document.replace("<id>", &json!(id).to_string());
    match document.starts_with("subscription") {
        true => first(actor, &filled).await,
        false => actor.response(&filled, json!({})).await,
    }
}

#[test]
fn no_place_that_takes_an_id_is_forgotten() {
    let tried: BTreeSet<String> = PLACES.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(&tried, Schema::read().id_arguments());
}

#[test]
fn what_is_not_yours_is_not_there() {
    in_the_house(async |house: &House| {
        let (schema, ben) = (Schema::read(), house.member("ben"));
        for (place, path) in PLACES {
            let document = document(&schema, path);
            for id in foreign(house) {
                let (prefix, _) = id.split_once('_').unwrap();
                if prefix == "program" && OF_ANY_PROGRAM.contains(&place) {
                    continue;
                }
                let nobody = format!("{prefix}_{NOBODY}");
                let (theirs, nobodys) = (answer(&ben, &document, &id).await, answer(&ben, &document, &nobody).await);
                let same = theirs.to_string().replace(&id, &nobody);
                assert_eq!(same, nobodys.to_string(), "{place} tells {id} from one that nobody has");
            }
        }
    });
}

#[test]
fn names_and_codes_of_others_find_nobody() {
    in_the_house(async |house: &House| {
        let ben = house.member("ben");
        for (by, person, nobody) in [("externalId", "name", "host-id-of-nobody"), ("code", "code", "NOBODYSCODE")] {
            let document = format!("query($key: String!) {{ user(by: {{{by}: $key}}) {{ id status }} }}");
            for stranger in ["ann", "zoe", "dan", "gus"] {
                let key = house.word(&format!("{person} of {stranger}"));
                let (theirs, nobodys) = (
                    ben.response(&document, json!({"key": key})).await,
                    ben.response(&document, json!({"key": nobody})).await,
                );
                assert_eq!(theirs, nobodys, "{by} of {stranger}");
                assert_eq!(theirs, json!({"data": {"user": null}}));
            }
        }
    });
}

#[test]
fn many_ids_in_one_document_open_no_more_than_one() {
    in_the_house(async |house: &House| {
        let ids = foreign(house);
        let ben = house.member("ben");
        let found = ben.run("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": ids})).await;
        assert_eq!(found["nodes"], json!(vec![Value::Null; ids.len()]));
        let people = ids.iter().filter(|id| id.starts_with("user_")).zip(0..);
        let aliases: String = people.map(|(id, n)| format!("u{n}: user(by: {{id: \"{id}\"}}) {{ id }} ")).collect();
        let found = ben.run(&format!("{{ me: viewer {{ id }} {aliases} }}"), json!({})).await;
        let others = found.as_object().unwrap().iter().filter(|(alias, _)| *alias != "me");
        assert!(others.clone().count() > 4 && others.clone().all(|(_, user)| user.is_null()), "{found:#}");
        assert_eq!(found["me"]["id"], house.word("user of ben"), "beside one's own as well");
    });
}
