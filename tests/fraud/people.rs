//! People by the host's ids.

use banyan::domain::id::Id;
use diesel::QueryableByName;

use crate::scene::Scene;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = banyan::store::sql_types::Uuid)]
    id: Id,
}

/// Our id of somebody.
pub async fn id(scene: &Scene, name: &str) -> Id {
    let text = format!("SELECT id FROM users WHERE external_id = '{name}'");
    scene.harness.sql().await.load::<Row>(&text).await[0].id
}
