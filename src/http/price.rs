//! What a document may cost, told to whoever asks for it: `"extensions": {"cost": true}`.

use async_graphql::{Extensions, Name, Response, Value};

/// The name of the extension, in requests and in answers.
const COST: &str = "cost";

/// What a document may cost, which is known before it is run, and the most that any may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// In objects: what the house counts before it runs a document.
    pub requested: u64,
    /// Documents that cost more are refused.
    pub limit: u64,
}

impl Price {
    /// Whether a request wants to be told.
    pub(super) fn is_asked_for(extensions: &Extensions) -> bool {
        extensions.get(COST) == Some(&Value::Boolean(true))
    }

    /// Writes it into an answer.
    pub(super) fn tell(self, response: &mut Response) {
        let fields = [("requested", self.requested), ("limit", self.limit)];
        let fields = fields.into_iter().map(|(name, objects)| (Name::new(name), Value::from(objects)));
        response.extensions.insert(COST.to_owned(), Value::Object(fields.collect()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_true_asks() {
        for (extensions, asks) in [
            (json!({"cost": true}), true),
            (json!({"cost": false}), false),
            (json!({"cost": "true"}), false),
            (json!({"costs": true}), false),
            (json!({}), false),
        ] {
            let read = serde_json::from_value(extensions.clone()).unwrap();
            assert_eq!(Price::is_asked_for(&read), asks, "{extensions}");
        }
    }

    #[test]
    fn an_answer_tells_both_figures() {
        let mut response = Response::default();
        Price { requested: 21, limit: 5_000 }.tell(&mut response);
        let told = serde_json::to_value(&response).unwrap();
        assert_eq!(told["extensions"], json!({"cost": {"requested": 21, "limit": 5000}}));
    }
}
