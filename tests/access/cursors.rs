//! A cursor says where in a list somebody stands, and never whose list it is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{House, in_the_house};

/// Lists of a person; each has its own kind of cursor.
const LISTS: [&str; 5] = ["referrals", "referredUsers", "rewards", "claims", "events"];

fn ids(page: &Value) -> BTreeSet<String> {
    let nodes = page["nodes"].as_array().into_iter().flatten();
    nodes.map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_cursor_from_somebody_else_s_list_leads_through_one_s_own() {
    in_the_house(async |house: &House| {
        for list in LISTS {
            let taken = format!("query($id: ID!) {{ user(by: {{id: $id}}) {{ {list} {{ edges {{ cursor }} }} }} }}");
            let own = format!(
                "query($after: String, $before: String, $first: Int, $last: Int) {{ viewer {{ \
                 {list}(after: $after, before: $before, first: $first, last: $last) {{ nodes {{ id }} }} }} }}"
            );
            let ben = house.member("ben");
            let all = ids(&ben.run(&own, json!({"first": 100})).await["viewer"][list]);
            assert!(!all.is_empty(), "Ben has {list}");
            for stranger in ["zoe", "dan", "cleo"] {
                let id = house.word(&format!("user of {stranger}"));
                let data = house.harness.admin().run(&taken, json!({"id": id})).await;
                for edge in data["user"][list]["edges"].as_array().expect("a list") {
                    for page in [
                        json!({"after": edge["cursor"], "first": 100}),
                        json!({"before": edge["cursor"], "last": 100}),
                        json!({"before": edge["cursor"], "first": 100}),
                    ] {
                        let seen = ids(&ben.run(&own, page).await["viewer"][list]);
                        assert!(seen.is_subset(&all), "{list} by a cursor of {stranger}: {seen:?}");
                    }
                }
            }
        }
    });
}
