//! Who may watch is asked when a subscription starts, and again before each message.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::BoxStream};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    happenings::{REASON, buy},
    house::{House, deed, in_the_house},
    support::Actor,
};

/// How long a message may take; what is not told live is read again after ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// One subscription.
struct Watcher(BoxStream<'static, Value>);

impl Watcher {
    async fn of(actor: &Actor, document: &str) -> (Self, Value) {
        let mut watcher = Self(actor.watch(document, json!({})));
        let first = watcher.next().await;
        assert!(first.get("errors").is_none(), "{document}: {first:#}");
        (watcher, first["data"].clone())
    }

    async fn next(&mut self) -> Value {
        timeout(PATIENCE, self.0.next()).await.expect("a message in time").expect("it goes on")
    }

    /// The next message is a refusal that tells nothing, and the last one.
    async fn is_turned_away(&mut self) {
        let last = self.next().await;
        assert_eq!(last["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{last:#}");
        assert_eq!(last["data"], Value::Null);
        let end = timeout(PATIENCE, self.0.next()).await.expect("ends in time");
        assert_eq!(end, None);
    }
}

#[test]
fn who_is_moved_out_of_a_network_is_watched_no_longer() {
    in_the_house(async |house: &House| {
        let counts = house.fill("subscription { referralCount(userId: <user>) { direct } }", "cleo");
        let (mut ben, first) = Watcher::of(&house.member("ben"), &counts).await;
        assert_eq!(first["referralCount"]["direct"], 1);
        let (mut cleo, _) = Watcher::of(&house.member("cleo"), &counts).await;
        let input = json!({
            "userId": house.word("user of cleo"), "referrerId": house.word("user of dan"), "reason": REASON,
        });
        deed(&house.harness.admin(), "moveUser", "user { id }", input).await;
        let input = json!({"externalId": "somebody new", "code": house.word("code of cleo")});
        deed(&house.harness.server(), "signUp", "created", input).await;
        house.harness.fold_all().await;
        ben.is_turned_away().await;
        // She goes on watching herself; the move is a message of its own unless it is told together with the sign-up.
        while cleo.next().await["data"]["referralCount"]["direct"] != 2 {}
    });
}

#[test]
fn who_is_erased_watches_no_longer() {
    in_the_house(async |house: &House| {
        let hal = house.member("hal");
        let counts = house.fill("subscription { referralCount(userId: <user>) { direct } }", "hal");
        let rewards = house.fill("subscription { rewardUpdated(userId: <user>) { id } }", "hal");
        let (mut counts, _) = Watcher::of(&hal, &counts).await;
        let (mut rewards, _) = Watcher::of(&hal, &rewards).await;
        let input = json!({"userId": house.word("user of hal"), "reason": REASON});
        deed(&house.harness.admin(), "eraseUser", "user { status }", input).await;
        counts.is_turned_away().await;
        // What was withheld of them is taken back with the order.
        let input = json!({"eventKey": "order of hal", "idempotencyKey": "refund of hal"});
        deed(&house.harness.server(), "recordRefund", "created", input).await;
        house.harness.fold_all().await;
        rewards.is_turned_away().await;
    });
}

#[test]
fn a_board_shows_those_who_are_erased_as_it_shows_everybody_else() {
    in_the_house(async |house: &House| {
        let board =
            "subscription { leaderboard(metric: SIGNUPS) { entries { user { id balances { currencyCode } } } } }";
        let own = |message: &Value| {
            let entries = message["leaderboard"]["entries"].as_array().expect("a list").clone();
            let own = entries.into_iter().find(|entry| entry["user"]["id"] == house.word("user of cleo"));
            own.expect("Cleo is on the board")["user"]["balances"].clone()
        };
        let (mut cleo, first) = Watcher::of(&house.member("cleo"), board).await;
        assert_eq!(own(&first), json!([{"currencyCode": "USD"}]));
        let input = json!({"userId": house.word("user of cleo"), "reason": REASON});
        deed(&house.harness.admin(), "eraseUser", "user { status }", input).await;
        let input = json!({"externalId": "somebody new", "code": house.word("code of ben")});
        deed(&house.harness.server(), "signUp", "created", input).await;
        house.harness.fold_all().await;
        assert_eq!(own(&cleo.next().await["data"]), Value::Null);
    });
}

#[test]
fn own_rewards_are_told_as_they_change() {
    in_the_house(async |house: &House| {
        let rewards = house.fill("subscription { rewardUpdated(userId: <user>) { user { externalId } } }", "ben");
        let (mut ben, _) = Watcher::of(&house.member("ben"), &rewards).await;
        buy(house, "cleo", "20.00", "fourth order of cleo").await;
        house.harness.fold_all().await;
        assert_eq!(ben.next().await["data"]["rewardUpdated"]["user"]["externalId"], "host-id-of-ben");
    });
}
