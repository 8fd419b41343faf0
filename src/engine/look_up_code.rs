//! Looking a code up before signing up with it: anybody may, and nobody may try them one after the other.

use std::net::IpAddr;

use super::{Engine, Error};
use crate::{
    domain::{code::CodeKey, limit::seconds_up},
    store::{StoreError, Tx, models, run},
};

/// What looking a code up came to.
#[derive(Clone, Debug)]
pub enum LookUp {
    /// It exists.
    Found(Box<models::Code>),
    /// It does not.
    Unknown,
    /// Too many that do not exist were asked for: nothing is said of this one.
    Refused {
        /// How long to wait, in seconds.
        retry_after_seconds: i64,
    },
}

impl Engine {
    /// Looks up the code that was typed; what cannot be one is not asked for.
    pub async fn code_typed(&self, typed: &str) -> Result<Option<models::Code>, Error> {
        let Some(key) = CodeKey::fold(typed) else { return Ok(None) };
        let look = self.store.look(async |tx: &mut Tx| run!(tx, codes::by_key(key.as_str())));
        look.await.map_err(|failure: StoreError| failure.into())
    }

    /// The same for somebody who may be guessing.
    pub async fn look_up_code(&self, typed: &str, address: Option<IpAddr>) -> Result<LookUp, Error> {
        let wait_micros = self.live.misses().wait_micros(address, self.context.now());
        if wait_micros > 0 {
            return Ok(LookUp::Refused { retry_after_seconds: seconds_up(wait_micros) });
        }
        match self.code_typed(typed).await? {
            Some(code) => Ok(LookUp::Found(Box::new(code))),
            None => {
                self.live.misses().missed(&[address], self.context.now()).await;
                Ok(LookUp::Unknown)
            }
        }
    }
}
