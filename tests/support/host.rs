//! The host's back end in stories, straight at the engine: a deed is done, or refused with a code.

use std::{sync::Arc, time::Duration};

use banyan::{
    domain::{id::Id, words::ClaimStatus},
    engine::{
        Engine, Error, RefusalCode,
        claim_rewards::ClaimRewards,
        move_user::MoveUser,
        record_event::{RecordEvent, Recorded, UserRef},
        record_refund::RecordRefund,
        review_referral::ReviewReferral,
        settle_claim::SettleClaim,
        sign_up::{SignUp, SignedUp},
    },
    store::{StoreError, models},
};
use diesel::{QueryableByName, sql_types::Text};
use tokio::{sync::Barrier, time::sleep};

use super::Harness;

/// How often a busy database is asked again, as a host would, and the pause before.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// What came of a deed; what breaks fails the test.
pub type Deed<T> = Result<T, RefusalCode>;

/// Somebody who signed up.
#[derive(Clone, Debug)]
pub struct Person {
    /// Our id.
    pub id: Id,
    /// The host's id.
    pub external_id: String,
    /// What they share.
    pub code: String,
}

/// The host's back end.
#[derive(Clone)]
pub struct Host(Engine);

impl Host {
    /// The host of a story.
    pub fn of(harness: &Harness) -> Self {
        Self(harness.engine().clone())
    }

    /// Signs somebody up.
    pub async fn sign_up(&self, request: SignUp) -> Deed<SignedUp> {
        answer(|| self.0.sign_up(request.clone())).await
    }

    /// Records a purchase in dollars, such as `100.00`.
    pub async fn buy(&self, external_id: &str, key: &str, dollars: &str) -> Deed<Recorded<models::Event>> {
        let request = RecordEvent {
            user: UserRef::ExternalId(external_id.to_owned()),
            event_type: "purchase".to_owned(),
            amount: Some((dollars.parse().expect("a decimal"), "USD".to_owned())),
            key: key.to_owned(),
            occurred_at: None,
            metadata: None,
        };
        answer(|| self.0.record_event(request.clone())).await
    }

    /// Records a refund in dollars; of all that is left, unless told.
    pub async fn refund(&self, event_key: &str, key: &str, dollars: Option<&str>) -> Deed<Recorded<models::Refund>> {
        let amount = dollars.map(|dollars| (dollars.parse().expect("a decimal"), "USD".to_owned()));
        let request = RecordRefund { event_key: event_key.to_owned(), amount, key: key.to_owned() };
        answer(|| self.0.record_refund(request.clone())).await
    }

    /// Claims all that a user can claim.
    pub async fn claim(&self, user: Id, key: &str) -> Deed<Vec<models::Claim>> {
        self.claim_only(user, key, None).await
    }

    /// Claims some rewards.
    pub async fn claim_only(&self, user: Id, key: &str, rewards: Option<Vec<Id>>) -> Deed<Vec<models::Claim>> {
        let request = ClaimRewards { user, rewards, key: key.to_owned() };
        answer(|| self.0.claim_rewards(request.clone())).await
    }

    /// Tells how a claim ended.
    pub async fn settle(&self, claim: Id, outcome: ClaimStatus, reference: Option<&str>) -> Deed<models::Claim> {
        let request = SettleClaim { claim, outcome, reference: reference.map(str::to_owned) };
        answer(|| self.0.settle_claim(request.clone(), "story")).await
    }

    /// Moves a user, with everybody below, to another referrer.
    pub async fn move_user(&self, user: Id, referrer: Id) -> Deed<models::User> {
        let request = MoveUser { user, referrer, reason: "a story".to_owned() };
        answer(|| self.0.move_user(request.clone(), "story")).await
    }

    /// Decides about a referral.
    pub async fn review(&self, request: ReviewReferral) -> Deed<models::Referral> {
        answer(|| self.0.review_referral(request.clone(), "story")).await
    }

    /// Folds once, beside others who may do so at the same time.
    pub async fn fold(&self) {
        answer(|| self.0.fold(500)).await.expect("folding refuses nothing");
    }
}

/// Asks until the database has time: refusals are answers, and whatever else breaks fails the test.
async fn answer<T, Fut>(ask: impl Fn() -> Fut) -> Deed<T>
where
    Fut: Future<Output = Result<T, Error>>,
{
    let mut cause = String::new();
    for _ in 0..ATTEMPTS {
        match ask().await {
            Ok(done) => return Ok(done),
            Err(Error::Refused(refusal)) => return Err(refusal.code),
            Err(Error::Failed(StoreError::Unavailable(why))) => cause = why,
            Err(Error::Failed(failure)) => panic!("{failure}"),
        }
        sleep(PAUSE).await;
    }
    panic!("the database stayed away: {cause}");
}

/// Signs somebody up with the code of somebody else, or without one.
pub async fn newcomer(harness: &Harness, external_id: &str, referrer: Option<&Person>) -> Person {
    let code = referrer.map(|referrer| referrer.code.clone());
    let request = SignUp { external_id: external_id.to_owned(), code, ..SignUp::default() };
    let signed_up = Host::of(harness).sign_up(request).await.expect("signs up");
    assert!(signed_up.created, "{external_id} was there already");
    assert_eq!(signed_up.referral.map(|edge| edge.referrer_id), referrer.map(|referrer| referrer.id));
    Person { id: signed_up.user.id, external_id: external_id.to_owned(), code: code_of(harness, external_id).await }
}

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    shown: String,
}

async fn code_of(harness: &Harness, external_id: &str) -> String {
    let text =
        format!("SELECT shown FROM codes JOIN users ON users.id = codes.user_id WHERE external_id = '{external_id}'");
    let mut codes: Vec<Shown> = harness.sql().await.load(&text).await;
    assert_eq!(codes.len(), 1, "{external_id} has one code");
    codes.remove(0).shown
}

/// Makes as many tasks as told, lets all of them go at the same moment, and gives what each came to, in order.
pub async fn at_once<T, Fut>(tasks: usize, task: impl Fn(usize) -> Fut) -> Vec<T>
where
    T: Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(tasks));
    let start = |number| {
        let (gate, task) = (Arc::clone(&gate), task(number));
        tokio::spawn(async move {
            gate.wait().await;
            task.await
        })
    };
    let running: Vec<_> = (0..tasks).map(start).collect();
    let mut results = Vec::with_capacity(tasks);
    for task in running {
        results.push(task.await.expect("a task ends"));
    }
    results
}
