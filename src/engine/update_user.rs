//! Changing what a user is called and how they are reached.

use super::{Engine, Error, Refusal, RefusalCode, input};
use crate::{
    domain::{id::Id, words::UserStatus},
    store::{Tx, models, requests::UserChanges, run},
};

/// What to change; absent fields stay, an inner `None` clears.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// Whom.
    pub user: Id,
    /// The name shown to others.
    pub display_name: Option<Option<String>>,
    /// E-mail address.
    pub email: Option<Option<String>>,
    /// Phone number.
    pub phone: Option<Option<String>>,
}

impl Engine {
    /// Changes a user.
    pub async fn update_user(&self, request: UpdateUser) -> Result<models::User, Error> {
        let key = &self.context.hash_key;
        let present = |(present, _): input::Hashes| present;
        let changes = UserChanges {
            display_name: request.display_name.map(|name| input::display_name(name.as_deref())).transpose()?,
            email_hash: request.email.map(|email| input::email(key, email.as_deref())).transpose()?.map(present),
            phone_hash: request.phone.map(|phone| input::phone(key, phone.as_deref())).transpose()?.map(present),
        };
        let changed = self.store.write(async |tx: &mut Tx| {
            run!(tx, users::lock(vec![request.user]))?;
            let known = run!(tx, users::by_id(request.user))?.filter(|user| user.status != UserStatus::Erased);
            let Some(known) = known else { return Ok(None) };
            if changes.is_empty() {
                return Ok(Some(known));
            }
            run!(tx, users::update(request.user, changes.clone())).map_err(Error::from)
        });
        let not_found = || Refusal::new(RefusalCode::UserNotFound, "userId", "there is no such user");
        changed.await?.ok_or_else(|| not_found().into())
    }
}
