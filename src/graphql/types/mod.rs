//! The types of the contract, one noun a file.

pub mod api_key;
pub mod attribution;
pub mod claim;
pub mod code;
pub mod event;
pub mod fraud_policy;
pub mod fraud_words;
pub mod leaderboard;
pub mod listing;
pub mod money;
pub mod network;
pub mod node;
pub mod program;
pub mod referral;
pub mod refund;
pub mod review;
pub mod reward;
pub mod risk;
pub mod rule;
pub mod tree;
pub mod user;
pub mod words;
