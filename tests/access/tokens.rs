//! Tokens of people who do not take part any more.

use serde_json::{Value, json};

use crate::{
    ask::first,
    house::{House, in_the_house},
};

#[test]
fn the_token_of_somebody_who_was_erased_opens_nothing() {
    in_the_house(async |house: &House| {
        let (eli, id) = (house.member("eli"), house.word("user of eli"));
        assert_eq!(eli.run("{ viewer { id } }", json!({})).await["viewer"], Value::Null);
        for (noun, word) in [("User", "user"), ("Referral", "referral"), ("Event", "event"), ("Reward", "reward")] {
            let document = format!("query($id: ID!) {{ node(id: $id) {{ __typename ... on {noun} {{ id }} }} }}");
            let found = eli.run(&document, json!({"id": house.word(&format!("{word} of eli"))})).await;
            assert_eq!(found["node"], Value::Null, "their own {noun}");
        }
        // Neither themselves nor those whom they brought in.
        for person in ["eli", "kim"] {
            let query = "query($id: ID!) { user(by: {id: $id}) { id } referralTree(userId: $id) { truncated } \
                exportUser(userId: $id) }";
            let found = eli.run(query, json!({"id": house.word(&format!("user of {person}"))})).await;
            assert_eq!(found, json!({"user": null, "referralTree": null, "exportUser": null}), "{person}");
        }
        let claim = "mutation($id: ID) { claimRewards(input: {userId: $id, idempotencyKey: \"k\"}) { \
            claims { id } userErrors { code } } }";
        for named in [json!({}), json!({"id": id})] {
            let claimed = eli.run(claim, named).await["claimRewards"].take();
            assert_eq!(claimed, json!({"claims": [], "userErrors": [{"code": "USER_NOT_FOUND"}]}));
        }
        for watched in ["referralCount(userId: <user>) { direct }", "rewardUpdated(userId: <user>) { id }"] {
            let document = house.fill(&format!("subscription {{ {watched} }}"), "eli");
            let refused = first(&eli, &document).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
        }
    });
}

#[test]
fn the_token_of_somebody_who_is_suspended_shows_their_own_and_claims_nothing() {
    in_the_house(async |house: &House| {
        let sue = house.member("sue");
        let seen = sue.run("{ viewer { status externalId referredUsers { nodes { displayName } } } }", json!({})).await;
        let friends = json!({"nodes": [{"displayName": "Tom Tarrant"}]});
        assert_eq!(
            seen["viewer"],
            json!({"status": "SUSPENDED", "externalId": "host-id-of-sue", "referredUsers": friends})
        );
        let claim = "mutation { claimRewards(input: {idempotencyKey: \"k\"}) { claims { id } userErrors { code } } }";
        let claimed = sue.run(claim, json!({})).await["claimRewards"].take();
        assert_eq!(claimed, json!({"claims": [], "userErrors": [{"code": "USER_INACTIVE"}]}));
    });
}

#[test]
fn somebody_new_under_the_same_name_does_not_inherit() {
    in_the_house(async |house: &House| {
        let eli = house.member("eli");
        let sign_up = "mutation($name: String!) { signUp(input: {externalId: $name}) { created user { id } } }";
        let signed_up = eli.run(sign_up, json!({"name": "host-id-of-eli"})).await["signUp"].take();
        assert_eq!(signed_up["created"], true);
        assert_ne!(signed_up["user"]["id"], house.word("user of eli"));
        let seen = eli.run("{ viewer { id rewards { nodes { id } } referralCount } }", json!({})).await;
        let nothing = json!({"id": signed_up["user"]["id"], "rewards": {"nodes": []}, "referralCount": 0});
        assert_eq!(seen["viewer"], nothing);
        let old = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(eli.run(old, json!({"id": house.word("reward of eli")})).await["node"], Value::Null);
    });
}
