//! The GraphQL schema: thin types over engine and loaders.
//!
//! | file | what it is |
//! | --- | --- |
//! | [`document`] | what a document is checked for before the executor sees it |
//! | [`schema`](mod@schema) | the schema, and the way of a request into it |
//! | [`scope`], [`caller`] | what belongs to one operation; who may see and do what |
//! | [`errors`] | the one mapping of failures to what callers see |
//! | [`scalars`], [`connection`] | values and pages |
//! | [`loaders`] | one statement per field and level, whatever the width |
//! | [`types`], [`queries`], [`mutations`], [`subscriptions`] | the contract itself |

pub mod caller;
pub mod connection;
pub mod document;
pub mod errors;
pub mod loaders;
pub mod mutations;
pub mod queries;
pub mod scalars;
pub mod schema;
pub mod scope;
pub mod subscriptions;
pub mod types;

pub use self::schema::{Api, ApiSchema, ApiSettings, sdl};
