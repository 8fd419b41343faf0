//! What belongs to one operation: who asks, the engine, and a fresh set of loaders.

use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::OnceCell;

use super::{
    caller::{Sight, Staff},
    errors::ApiError,
    loaders::Loaders,
    schema::ApiSettings,
};
use crate::{
    domain::{caller::Caller, id::Id, program::DEFAULT_KEY, visitor::Visitor},
    engine::Engine,
    store::{StoreError, Tx, models, run},
};

/// One operation, as every resolver sees it.
pub struct Scope {
    /// Who asks.
    pub caller: Caller,
    /// What the product can do.
    pub engine: Arc<Engine>,
    /// What does not change while the server runs.
    pub settings: Arc<ApiSettings>,
    /// This operation's own loaders.
    pub loaders: Loaders,
    me: OnceCell<Option<Id>>,
    default_program: OnceCell<Option<Id>>,
}

impl Scope {
    /// The scope of a new operation.
    pub fn new(caller: Caller, engine: Arc<Engine>, settings: Arc<ApiSettings>) -> Self {
        let loaders = Loaders::new(engine.clone());
        Self { caller, engine, settings, loaders, me: OnceCell::new(), default_program: OnceCell::new() }
    }

    /// The scope of a new operation of the same caller, who may be somebody else by now, or nobody.
    pub fn anew(&self) -> Self {
        Self::new(self.caller.clone(), self.engine.clone(), self.settings.clone())
    }

    /// The scope that a request carries.
    pub fn of<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Self>, ApiError> {
        ctx.data::<Arc<Self>>().map_err(|_| ApiError::internal(&"a request came without its scope"))
    }

    /// Where a request comes from; nothing is known of one that came by no door.
    pub fn visitor(ctx: &Context<'_>) -> Visitor {
        ctx.data_opt::<Visitor>().cloned().unwrap_or_default()
    }

    /// The role of the caller that a function asks for.
    pub fn caller_as<'a, R: TryFrom<&'a Caller, Error = ApiError>>(&'a self) -> Result<R, ApiError> {
        R::try_from(&self.caller)
    }

    /// Whether the caller sees everybody.
    pub fn is_staff(&self) -> bool {
        self.caller_as::<Staff>().is_ok()
    }

    /// How the host's back end, or an operator, sees what it just wrote: a key that may not read sees no more than others.
    pub fn sight_of_written(&self) -> Sight {
        if self.is_staff() { Sight::Staff } else { Sight::Name }
    }

    /// The user that a member is; nothing for other callers, and for members who have not signed up. Looked up once.
    pub async fn me(&self) -> Result<Option<Id>, ApiError> {
        let Caller::Member { external_id } = &self.caller else { return Ok(None) };
        let found = self.me.get_or_try_init(|| self.by_external_id(external_id)).await;
        found.copied()
    }

    async fn by_external_id(&self, external_id: &str) -> Result<Option<Id>, ApiError> {
        let user = self.user_called(external_id).await?;
        Ok(user.map(|user| user.id))
    }

    /// The user whom the host calls so.
    pub async fn user_called(&self, external_id: &str) -> Result<Option<models::User>, ApiError> {
        let look = self.engine.store.look(async |tx: &mut Tx| run!(tx, users::by_external_id(external_id)));
        look.await.map_err(|failure: StoreError| failure.into())
    }

    /// A program, or the default one. Its id and key never change, so the default one is looked up once.
    pub async fn program_of(&self, id: Option<Id>) -> Result<Option<Arc<models::Program>>, ApiError> {
        let id = match id {
            Some(id) => id,
            None => match self.default_program.get_or_try_init(|| self.default_program_id()).await? {
                Some(id) => *id,
                None => return Ok(None),
            },
        };
        self.loaders.set().programs().load(id).await
    }

    async fn default_program_id(&self) -> Result<Option<Id>, ApiError> {
        let look = self.engine.store.look(async |tx: &mut Tx| run!(tx, programs::by_key(DEFAULT_KEY)));
        let program = look.await.map_err(|failure: StoreError| ApiError::from(failure))?;
        Ok(program.map(|program| program.id))
    }

    /// How the caller sees a user that an argument names; nothing when the user is not theirs to see.
    pub async fn sight_of(&self, user: Id) -> Result<Option<Sight>, ApiError> {
        if self.is_staff() {
            return Ok(Some(Sight::Staff));
        }
        let Some(me) = self.me().await? else { return Ok(None) };
        if me == user {
            return Ok(Some(Sight::Own));
        }
        let upline = self.loaders.set().uplines().load(user).await?;
        let level = upline.iter().position(|above| *above == me).and_then(|place| u8::try_from(place + 1).ok());
        Ok(level.and_then(|level| Sight::Own.below(level)))
    }

    /// How the caller sees a user met by the way, as on a board.
    pub async fn passing_sight_of(&self, user: Id) -> Result<Sight, ApiError> {
        if self.is_staff() {
            return Ok(Sight::Staff);
        }
        Ok(if self.me().await? == Some(user) { Sight::Own } else { Sight::Name })
    }
}
