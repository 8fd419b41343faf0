//! Following links (rule 3): a click is recorded, and answered only after it is committed.
//!
//! Clicks come in bursts, and most of what one costs is the commit. So all of them go through one queue to one task,
//! which takes what came within a few milliseconds and commits it together: a burst of thousands costs the database a few
//! transactions, and a crash loses no click that was answered.
//!
//! | file | what it is |
//! | --- | --- |
//! | `clerk` | the task: takes clicks together, looks up what is behind them, records them, answers |
//! | `desk` | what is decided about each of them |

mod clerk;
mod desk;

use std::{net::IpAddr, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::Engine;
use crate::domain::landing::Landing;

/// Most clicks that wait; beyond that a visitor is asked to come again.
const WAITING_MAX: usize = 4_096;

/// What somebody is at a link for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person follows it.
    Follow,
    /// Somebody only looks where it leads: a preview, a bot, a check.
    Look,
}

/// Somebody at a link.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The code in the link, as it stands there.
    pub code: String,
    /// What they are here for.
    pub purpose: Purpose,
    /// Where they come from; kept as keyed hashes only.
    pub address: Option<IpAddr>,
    /// Their browser; kept as a keyed hash only.
    pub user_agent: Option<String>,
    /// Parameters of a campaign (`utm_source` and the like) with their values.
    pub campaign: Vec<(&'static str, String)>,
    /// The page that the link names, which leads there only if it may.
    pub page: Option<String>,
    /// The cookie that their browser brought; one that we did not sign is ignored.
    pub cookie: Option<String>,
}

/// Where a visitor goes on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The address.
    pub page: String,
    /// What their browser should remember; nothing when no click was recorded.
    pub cookie: Option<Cookie>,
}

/// The cookie `referral_code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its value.
    pub value: String,
    /// How long the clicks in it count, in days of 24 hours.
    pub days: u32,
}

/// A click could not be recorded now; the same visit may succeed a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many clicks wait to be recorded, or the database is away")]
pub struct Busy;

/// Where clicks are recorded; cheap to clone. The task behind it ends with the last clone.
#[derive(Clone)]
pub struct Clicks {
    engine: Engine,
    landing: Arc<Landing>,
    queue: mpsc::Sender<Waiting>,
}

/// A visit that waits for its answer.
struct Waiting {
    visit: Visit,
    answer: oneshot::Sender<Result<Way, Busy>>,
}

impl Clicks {
    /// Begins to take clicks; needs a runtime for the task.
    pub fn begin(engine: Engine, landing: Landing) -> Self {
        let landing = Arc::new(landing);
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(clerk::attend(engine.clone(), landing.clone(), waiting));
        Self { engine, landing, queue }
    }

    /// Records a visit and says where it goes on to. A link that leads to nobody leads to the default page, and so does
    /// every link for somebody who tried too many that do not exist.
    ///
    /// # Errors
    /// [`Busy`], and then nothing may have been recorded.
    pub async fn follow(&self, visit: Visit) -> Result<Way, Busy> {
        if !self.engine.live.misses().may_ask(visit.address, self.engine.context.now()) {
            return Ok(nowhere(&self.landing));
        }
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { visit, answer }).map_err(|_| Busy)?;
        answered.await.unwrap_or(Err(Busy))
    }
}

/// The way of a link that leads to nobody.
fn nowhere(landing: &Landing) -> Way {
    Way { page: landing.default_page().to_string(), cookie: None }
}
