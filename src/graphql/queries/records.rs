//! What the house keeps about people and about what operators did.

use async_graphql::{Context, ID, Object, SimpleObject};
use uuid::Uuid;

use crate::{
    domain::id::{Id, Noun},
    engine::export_user::ExportFor,
    graphql::{
        caller::{Known, Operator, Sight},
        connection::{Connection, ListTag, Page, Paging},
        errors::{ApiError, Nullable},
        scalars::{BigInt, DateTime, Json, id_argument},
        scope::Scope,
    },
    store::{StoreError, Tx, models, run},
};

/// Something that an operator did.
#[derive(SimpleObject, Clone, Debug)]
pub struct AuditEntry {
    /// The number of the entry; later ones are higher.
    pub number: BigInt,
    /// Name of the key of who did it; `start` and `command line` for what came that way.
    pub actor: String,
    /// What was done: the name of the mutation.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// Why, where a reason is asked for, or how it ended.
    pub reason: Option<String>,
    /// When.
    pub created_at: DateTime,
}

/// Records.
#[derive(Default)]
pub struct RecordQueries;

#[Object]
impl RecordQueries {
    /// What operators did, newest first. For operators.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what was done to this: the id of a user, program, claim, referral or key.")]
        subject: Option<ID>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<AuditEntry>> {
        Some(audit_log(ctx, subject, Paging { first, after, last, before }).await)
    }

    /// Everything that is stored about one person, as JSON; amounts are in minor units. Members get their own, the host and
    /// operators anybody's. Null when there is no such user, or none that you may ask about. Lists hold at most 10,000
    /// entries; `cut` names those that have more.
    async fn export_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose; a member's own unless told.")] user_id: Option<ID>,
    ) -> Nullable<Json> {
        export_user(ctx, user_id).await.transpose()
    }
}

async fn audit_log(ctx: &Context<'_>, subject: Option<ID>, paging: Paging) -> Result<Connection<AuditEntry>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let window = paging.window(ListTag::AuditLog)?;
    let look = scope.engine.store.look(async |tx: &mut Tx| {
        let subject = subject.as_ref().map(|subject| subject.0.clone());
        run!(tx, audit::page(subject, window))
    });
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    let number = |row: &models::Audit| Id::from_uuid(Uuid::from_u128(u128::from(row.id.unsigned_abs())));
    Ok(Connection::of(ListTag::AuditLog, &page, number, |row| AuditEntry {
        number: BigInt(row.id),
        actor: row.actor.clone(),
        action: row.action.clone(),
        subject: row.subject.clone(),
        reason: row.reason.clone(),
        created_at: row.created_at.into(),
    }))
}

async fn export_user(ctx: &Context<'_>, user: Option<ID>) -> Result<Option<Json>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    let user = match user {
        Some(id) => Some(id_argument(Noun::User, &id)?),
        None => scope.me().await?,
    };
    let Some(user) = user else { return Ok(None) };
    let whom = match scope.sight_of(user).await? {
        Some(Sight::Staff) => ExportFor::Staff,
        Some(Sight::Own) => ExportFor::Themselves,
        Some(Sight::Network(_) | Sight::Name) | None => return Ok(None),
    };
    let exported = scope.engine.export_user(user, whom).await?;
    let value = exported.map(async_graphql::Value::from_json).transpose();
    Ok(value.map_err(|error| ApiError::internal(&error))?.map(Json))
}
