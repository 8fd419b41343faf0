//! What the command line does with API keys.

use clap::{Args, Subcommand, ValueEnum};

use crate::{
    domain::{
        time::Timestamp,
        words::{KeyRole, KeyScope},
    },
    engine::api_keys::CreateApiKey,
};

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key and print its secret, once.
    Create(NewKey),
    /// List all keys; secrets are stored nowhere.
    List,
    /// Revoke a key for good.
    Revoke {
        /// Its id (apikey_...).
        id: String,
    },
}

/// The key to make.
#[derive(Args, Debug)]
pub struct NewKey {
    /// A name for people.
    name: String,
    /// What its holder may do.
    #[arg(long, value_enum, default_value_t = Role::Server)]
    role: Role,
    /// What of that, for server keys: one or several, separated by commas; everything unless given.
    #[arg(long, value_enum, value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// When it stops working, as in 2027-01-31 or 2027-01-31T12:00:00Z; never unless given.
    #[arg(long, value_parser = instant)]
    expires: Option<Timestamp>,
    /// How much may be asked for with it, in cost of documents a second; no limit unless given.
    #[arg(long)]
    cost_per_second: Option<u32>,
}

impl From<NewKey> for CreateApiKey {
    fn from(new: NewKey) -> Self {
        let scopes = (!new.scopes.is_empty()).then(|| new.scopes.into_iter().map(KeyScope::from).collect());
        Self {
            name: new.name,
            role: new.role.into(),
            scopes,
            expires_at: new.expires,
            cost_per_second: new.cost_per_second,
        }
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "neither a day nor an instant such as 2027-01-31T12:00:00Z".to_owned())
}

/// The role of a key, as it is written on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    /// The host's back end: users, events, claims.
    Server,
    /// An operator: everything.
    Admin,
}

impl From<Role> for KeyRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Server => Self::Server,
            Role::Admin => Self::Admin,
        }
    }
}

/// The scope of a key, as it is written on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Scope {
    /// See users, events, rewards and claims.
    Read,
    /// Record events and refunds.
    EventsWrite,
    /// Sign users up, change them and their codes.
    UsersWrite,
    /// Claim rewards on behalf of users.
    ClaimsWrite,
}

impl From<Scope> for KeyScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::EventsWrite => Self::EventsWrite,
            Scope::UsersWrite => Self::UsersWrite,
            Scope::ClaimsWrite => Self::ClaimsWrite,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Cli, Command};

    fn created(arguments: &[&str]) -> CreateApiKey {
        let words = ["banyan", "keys", "create", "shop"].iter().chain(arguments);
        let Some(Command::Keys { what: Keys::Create(new) }) = Cli::parse_from(words).command else {
            panic!("another command");
        };
        new.into()
    }

    #[test]
    fn a_key_may_do_everything_for_ever_unless_told() {
        let plain = created(&[]);
        assert_eq!((plain.role, plain.scopes, plain.expires_at), (KeyRole::Server, None, None));
        assert_eq!(plain.cost_per_second, None);
    }

    #[test]
    fn a_key_may_be_told_what_how_long_and_how_much() {
        let told = ["--scopes", "events-write,read", "--expires", "2027-01-31", "--cost-per-second", "50"];
        let key = created(&told);
        let scopes: Vec<KeyScope> = key.scopes.unwrap().iter().collect();
        assert_eq!(scopes, [KeyScope::Read, KeyScope::EventsWrite]);
        assert_eq!((key.expires_at, key.cost_per_second), (Timestamp::parse("2027-01-31"), Some(50)));
        assert!(Cli::try_parse_from(["banyan", "keys", "create", "shop", "--expires", "soon"]).is_err());
    }
}
