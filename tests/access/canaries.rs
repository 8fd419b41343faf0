//! Words that somebody must never be given, wherever they walk.

use serde_json::{Value, json};

use crate::{
    cast::{CAST, Part, below},
    happenings::REASON,
    house::House,
};

/// What the house finds out about fraud, and says among operators.
const SECRETS: [&str; 5] = [REASON, "SAME_DEVICE", "\"RING\"", "tablet-7f3", "payout of ben"];

/// What a member must not be given of anybody else: ids and keys of the host, contacts and their hashes, codes, and the names
/// of those who are not below.
pub async fn for_member(house: &House, member: &str) -> Vec<String> {
    let mut words: Vec<String> = SECRETS.map(str::to_owned).to_vec();
    let network = below(member);
    let came_by = Part::of(member).referrer;
    for part in CAST.iter().filter(|part| part.person != member) {
        words.extend([
            part.external_id(),
            part.email(),
            part.phone(),
            part.order(),
            format!("basket of {}", part.person),
        ]);
        words.extend(hashes(house, part.person).await);
        if !network.contains(&part.person) {
            words.push(part.name.to_owned());
        }
        if came_by != Some(part.person) {
            words.push(house.word(&format!("code of {}", part.person)).to_owned());
        }
    }
    if member == "ben" {
        words.retain(|word| word != "payout of ben");
    }
    // Those who share a device have the same hash of it.
    let own = hashes(house, member).await;
    words.retain(|word| !own.contains(word));
    words
}

/// The keyed hashes that are kept of somebody, as an export tells them.
async fn hashes(house: &House, person: &str) -> Vec<String> {
    let query = "query($id: ID!) { exportUser(userId: $id) }";
    let id = house.word(&format!("user of {person}"));
    let export = house.harness.admin().run(query, json!({"id": id})).await["exportUser"].take();
    let mut found = Vec::new();
    for part in [&export["user"], &export["evidence"]] {
        let fields = part.as_object().into_iter().flatten();
        found.extend(fields.filter(|(name, _)| name.ends_with("Hash")).filter_map(|(_, hash)| hash.as_str()));
    }
    found.into_iter().map(str::to_owned).collect()
}

/// Which of these words an answer has, but for those that the question had.
pub fn found<'a>(document: &str, answer: &Value, words: &'a [String]) -> Vec<&'a str> {
    let text = answer.to_string();
    let words = words.iter().map(String::as_str);
    words.filter(|word| text.contains(word) && !document.contains(word)).collect()
}
