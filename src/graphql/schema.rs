//! The schema, and the way of a request into it.

use std::sync::Arc;

use async_graphql::{Request, Response, SDLExportOptions, Schema};
use futures_util::stream::BoxStream;

use super::{mutations::Mutation, queries::Query, scope::Scope, subscriptions::Subscription};
use crate::{domain::caller::Caller, engine::Engine};

/// The schema of the contract.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// How deep the executor recurses; the document guard refuses long before.
const RECURSION: usize = 64;

/// What does not change while the server runs.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Base of referral links, without a slash at the end.
    pub public_url: String,
    /// Whether anybody may ask about the schema; holders of keys always may.
    pub open_introspection: bool,
}

impl ApiSettings {
    /// The link that a code is shared by.
    pub fn link(&self, code: &str) -> String {
        format!("{}/r/{code}", self.public_url)
    }

    /// The picture of that link.
    pub fn qr_code(&self, code: &str) -> String {
        format!("{}/qr.svg", self.link(code))
    }
}

/// The schema over one engine.
#[derive(Clone)]
pub struct Api {
    schema: ApiSchema,
    engine: Arc<Engine>,
    settings: Arc<ApiSettings>,
}

impl Api {
    /// Builds the schema over an engine.
    pub fn new(engine: Engine, settings: ApiSettings) -> Self {
        Self { schema: schema(), engine: Arc::new(engine), settings: Arc::new(settings) }
    }

    /// Runs a query or a mutation.
    pub async fn execute(&self, request: Request, caller: Caller) -> Response {
        self.schema.execute(self.prepare(request, caller)).await
    }

    /// Runs a subscription. Dropping the stream ends it.
    pub fn stream(&self, request: Request, caller: Caller) -> BoxStream<'static, Response> {
        self.schema.execute_stream(self.prepare(request, caller))
    }

    /// Adds what resolvers need to a request: who asks, the engine, and loaders that nobody else has.
    fn prepare(&self, request: Request, caller: Caller) -> Request {
        let request = match caller {
            Caller::Server { .. } | Caller::Admin { .. } => request,
            Caller::Anonymous | Caller::Member { .. } if self.settings.open_introspection => request,
            Caller::Anonymous | Caller::Member { .. } => request.disable_introspection(),
        };
        request.data(Arc::new(Scope::new(caller, self.engine.clone(), self.settings.clone())))
    }
}

/// Builds the schema. No extensions: registering one takes every field off the executor's fast path.
fn schema() -> ApiSchema {
    Schema::build(Query::default(), Mutation, Subscription)
        .limit_recursive_depth(RECURSION)
        .disable_suggestions()
        .finish()
}

/// The text of the schema, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().prefer_single_line_descriptions().use_space_ident();
    format!("{}\n", schema().sdl_with_options(options).trim_end())
}
