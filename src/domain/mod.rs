//! What a referral program means. Pure: no IO, no async, no clock, no SQL, no GraphQL.

pub mod attribution;
pub mod board;
pub mod caller;
pub mod claim;
pub mod code;
pub mod contact;
pub mod decimal;
pub mod explanation;
pub mod fraud;
pub mod history;
pub mod id;
pub mod keyed_hash;
pub mod landing;
pub mod limit;
pub mod money;
pub mod pay;
pub mod period;
pub mod plan;
pub mod program;
pub mod reward;
pub mod scopes;
pub mod time;
pub mod touches;
pub mod vanity;
pub mod visitor;
pub mod words;
