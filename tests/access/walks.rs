//! Tours through the graph by which somebody else's record could be reached: rewards stay when people are moved, and levels
//! skip whoever is suspended, so that the level of a reward does not tell who stands where.

use serde_json::{Value, json};

use crate::house::{House, in_the_house};

const REWARD: &str = "query($id: ID!) { node(id: $id) { ... on Reward { level \
    referral { code referrer { ...Person } referred { ...Person } } event { user { ...Person } amount { amount } key } } } } \
    fragment Person on User { id displayName externalId code referralCount balances { currencyCode } \
    rewards { nodes { id } } events { nodes { id } } referrer { id } }";

/// Somebody of whom a member sees the name that is given, and nothing else.
fn masked(id: &str, name: &str) -> Value {
    json!({
        "id": id, "displayName": name, "externalId": null, "code": null, "referralCount": null, "balances": null,
        "rewards": null, "events": null, "referrer": null,
    })
}

#[test]
fn a_reward_for_somebody_who_was_moved_away_shows_neither_them_nor_their_new_referrer() {
    in_the_house(async |house: &House| {
        let reward = json!({"id": house.word("paid of gus")});
        let seen = house.member("ben").run(REWARD, reward).await["node"].take();
        let (gus, dan) =
            (masked(house.word("user of gus"), "G*** G***"), masked(house.word("user of dan"), "D*** D***"));
        assert_eq!(seen["level"], 1, "Ben was paid as the referrer");
        assert_eq!(seen["referral"], json!({"code": null, "referrer": dan, "referred": gus}));
        assert_eq!(seen["event"], json!({"user": gus, "amount": null, "key": ""}));
    });
}

#[test]
fn who_is_skipped_by_a_level_keeps_their_record_to_themselves() {
    in_the_house(async |house: &House| {
        let reward = json!({"id": house.word("paid of tom")});
        let seen = house.member("ben").run(REWARD, reward).await["node"].take();
        assert_eq!(seen["level"], 1, "Sue, between Ben and Tom, was skipped");
        let sue = &seen["referral"]["referrer"];
        assert_eq!((&sue["id"], &sue["displayName"]), (&json!(house.word("user of sue")), &json!("Sue Sutton")));
        for private in ["externalId", "code", "balances", "rewards", "events"] {
            assert_eq!(sue[private], Value::Null, "{private} of Sue, whom Ben brought in");
            assert_eq!(seen["referral"]["referred"][private], Value::Null, "{private} of Tom, two levels below");
        }
        assert_eq!(seen["referral"]["code"], Value::Null, "the code is Sue's");
    });
}

#[test]
fn codes_are_shown_to_whoever_came_by_them_and_whose_they_are() {
    in_the_house(async |house: &House| {
        let query = "query($id: ID!) { user(by: {id: $id}) { referral { code } } }";
        let seen = async |member: &str, person: &str| {
            let id = house.word(&format!("user of {person}"));
            house.member(member).run(query, json!({"id": id})).await["user"]["referral"]["code"].take()
        };
        let code = json!(house.word("code of cleo"));
        assert_eq!(seen("fay", "fay").await, code, "Fay came by it");
        assert_eq!(seen("cleo", "fay").await, code, "it is Cleo's");
        assert_eq!(seen("ben", "fay").await, Value::Null, "Ben stands above Cleo");
    });
}

#[test]
fn the_way_up_shows_names_and_the_way_down_ends_where_it_began() {
    in_the_house(async |house: &House| {
        let query = "{ viewer { id referrer { displayName referrer { id } referrals { nodes { id } } upline { id } } \
            upline { displayName externalId network { size } } \
            referredUsers { nodes { upline { id displayName externalId } referrer { id externalId } } } } }";
        let seen = house.member("ben").run(query, json!({})).await["viewer"].take();
        let ann = json!({"displayName": "A*** A***", "referrer": null, "referrals": null, "upline": null});
        assert_eq!(seen["referrer"], ann);
        let above = |name: &str| json!({"displayName": name, "externalId": null, "network": null});
        assert_eq!(seen["upline"], json!([above("A*** A***"), above("Z*** Z***")]));
        for friend in seen["referredUsers"]["nodes"].as_array().unwrap() {
            let names: Vec<_> = friend["upline"].as_array().unwrap().iter().map(|user| &user["displayName"]).collect();
            assert_eq!(names, ["Ben Middleton", "A*** A***", "Z*** Z***"]);
            assert_eq!(friend["referrer"], json!({"id": seen["id"], "externalId": "host-id-of-ben"}), "Ben himself");
        }
    });
}
