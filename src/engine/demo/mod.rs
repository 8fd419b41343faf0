//! Made-up people: forests of realistic shape, files to import, and a demonstration that fills itself and stays alive.

mod activity;
mod file;
mod forest;
mod names;
mod seed;

pub use self::{
    file::{UsersSpec, write_users},
    forest::{Shape, generate_forest},
    seed::Seeded,
};
