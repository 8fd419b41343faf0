//! Somebody who sends GraphQL documents.

use std::net::IpAddr;

use banyan::{
    domain::{caller::Caller, visitor::Visitor},
    engine::Engine,
    graphql::{Api, ApiSettings},
};
use futures_util::{StreamExt as _, stream::BoxStream};
use serde_json::Value;

/// The schema of a house; it takes a while to build.
pub(super) fn api(engine: Engine) -> Api {
    let settings = ApiSettings { public_url: "https://refer.example".to_owned(), open_introspection: false };
    Api::new(engine, settings)
}

/// Somebody who sends GraphQL documents, past the doors: straight to the schema.
#[derive(Clone)]
pub struct Actor {
    api: Api,
    caller: Caller,
    visitor: Visitor,
}

impl Actor {
    /// Somebody with a role.
    pub(super) fn new(api: Api, caller: Caller) -> Self {
        Self { api, caller, visitor: Visitor::default() }
    }

    /// The same, coming from an address.
    pub fn at(mut self, address: &str) -> Self {
        self.visitor.address = Some(address.parse::<IpAddr>().expect("an address"));
        self
    }

    /// Runs a document and gives its whole response: `data`, and `errors` when there are any.
    pub async fn response(&self, document: &str, variables: Value) -> Value {
        let response = self.api.execute(self.request(document, variables), self.caller.clone()).await;
        serde_json::to_value(response).expect("a response is JSON")
    }

    /// Watches something: a whole response for each message. A subscription that is refused gives its errors and ends.
    pub fn watch(&self, document: &str, variables: Value) -> BoxStream<'static, Value> {
        let responses = self.api.stream(self.request(document, variables), self.caller.clone());
        responses.map(|response| serde_json::to_value(response).expect("a response is JSON")).boxed()
    }

    fn request(&self, document: &str, variables: Value) -> async_graphql::Request {
        let request = async_graphql::Request::new(document).variables(async_graphql::Variables::from_json(variables));
        request.data(self.visitor.clone())
    }

    /// Runs a document that must succeed and gives its data.
    pub async fn run(&self, document: &str, variables: Value) -> Value {
        let mut response = self.response(document, variables).await;
        assert!(response.get("errors").is_none(), "{document}\nfailed for {:?}: {response:#}", self.caller);
        response["data"].take()
    }

    /// Runs a document that must fail and gives the code of its first error.
    pub async fn error_code(&self, document: &str, variables: Value) -> String {
        let response = self.response(document, variables).await;
        let code = response["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("{document}\ndid not fail with a code for {:?}: {response:#}", self.caller))
            .to_owned()
    }
}
