//! Made-up people: forests of realistic shape, files to import, a demonstration that fills itself and stays alive, and
//! crowds in which it is known who cheats.

mod activity;
mod crowd;
mod detection;
mod file;
mod forest;
mod mixed_crowd;
mod names;
mod seed;

pub use self::{
    crowd::{CrowdSpec, Kind, generate_crowd},
    detection::{Detection, Outcome, try_policy},
    file::{UsersSpec, write_users},
    forest::{Shape, generate_forest},
    seed::Seeded,
};
