//! Trying a program out over what was recorded.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    domain::{
        id::{self, Noun},
        plan::Plan,
    },
    engine::{
        Refusal, RefusalCode,
        simulate::{RuleTotals, Simulate, Sum},
    },
    graphql::{
        caller::{Operator, Sight},
        errors::{ApiError, Nullable},
        mutations::{RewardRuleInput, TriggerInput, UserError, planned},
        scalars::{BigInt, DateTime},
        scope::Scope,
        types::{money::Money, program::Program, user::User},
    },
};

/// What would be promised, and over whose events.
#[derive(InputObject, Clone, Debug)]
pub struct SimulateProgramInput {
    /// The program over whose events and referrals it runs; the default program unless told.
    pub program_id: Option<ID>,
    /// What completes a referral; as it is now unless told.
    pub qualifying: Option<TriggerInput>,
    /// Who would be paid what for what; the present rules unless told.
    pub rules: Option<Vec<RewardRuleInput>>,
}

/// What a program would have paid, next to what was really granted.
#[derive(SimpleObject)]
pub struct SimulateProgramResult {
    /// What it came to; null when something is wrong with the input.
    pub simulation: Option<Simulation>,
    /// Everything that is wrong, each with its path in the input.
    pub user_errors: Vec<UserError>,
}

/// What a program would have paid for events that were accepted in a time.
#[derive(SimpleObject)]
pub struct Simulation {
    /// The program over whose events it ran.
    pub program: Program,
    /// Events in that time.
    pub events: BigInt,
    /// By rule and level; rules that are only in the simulation or were only really in force have zeros on the other side.
    pub rules: Vec<SimulatedRule>,
    /// All rules together, simulated.
    pub simulated: SimulatedSum,
    /// All rules together, as it really was.
    pub really: SimulatedSum,
    /// People who would have something after refunds.
    pub people_paid: BigInt,
    /// Who would have most, at most ten.
    pub top_earners: Vec<SimulatedEarner>,
    /// Rules whose caps cut or refused rewards, and how often.
    pub cap_hits: Vec<CapHits>,
}

/// One rule on one level.
#[derive(SimpleObject)]
pub struct SimulatedRule {
    /// Key of the rule.
    pub rule: String,
    /// 0 for the referred user, 1 for the referrer, and so on.
    pub level: i32,
    /// What would have been granted.
    pub simulated: SimulatedSum,
    /// What was granted really.
    pub really: SimulatedSum,
    /// Simulated less really, after refunds.
    pub difference: Money,
}

/// How many rewards, and what they come to.
#[derive(SimpleObject)]
pub struct SimulatedSum {
    /// Rewards.
    pub rewards: BigInt,
    /// What was granted.
    pub amount: Money,
    /// What is left of it after refunds.
    pub net: Money,
}

/// Somebody who would have earned.
#[derive(SimpleObject)]
pub struct SimulatedEarner {
    /// Who.
    pub user: User,
    /// What they would have after refunds.
    pub net: Money,
}

/// How often a cap was reached.
#[derive(SimpleObject)]
pub struct CapHits {
    /// Key of the rule.
    pub rule: String,
    /// Rewards that were cut or refused.
    pub times: BigInt,
}

/// Trying programs out.
#[derive(Default)]
pub struct SimulationQueries;

#[Object]
impl SimulationQueries {
    /// Evaluates a program over recorded events, without writing anything, and compares with what was really granted. People,
    /// the chains above them and who takes part are taken as they are now. For operators.
    async fn simulate_program(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What would be promised, and over whose events.")] input: SimulateProgramInput,
        #[graphql(desc = "Events accepted from here on are told.")] from: DateTime,
        #[graphql(desc = "Until before here.")] to: DateTime,
    ) -> Nullable<SimulateProgramResult> {
        Some(simulate(ctx, input, (from, to)).await)
    }
}

async fn simulate(
    ctx: &Context<'_>,
    input: SimulateProgramInput,
    (from, to): (DateTime, DateTime),
) -> Result<SimulateProgramResult, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let refused = |wrong: Vec<Refusal>| SimulateProgramResult {
        simulation: None,
        user_errors: wrong.into_iter().map(UserError::from).collect(),
    };
    let program = match input.program_id.map(|id| id::parse_as(Noun::Program, &id)).transpose() {
        Ok(program) => program,
        Err(error) => {
            let refusal = Refusal::new(RefusalCode::ProgramNotFound, "programId", error.to_string());
            return Ok(refused(vec![refusal]));
        }
    };
    let plan =
        Plan { qualifying: input.qualifying.map(Into::into), rules: input.rules.map(planned), ..Plan::default() };
    let found = match scope.engine.simulate_program(Simulate { program, plan, from: from.0, to: to.0 }).await? {
        Ok(found) => found,
        Err(wrong) => return Ok(refused(wrong)),
    };
    let currency = found.program.currency.clone();
    let money = |minor: i64| Money::of_minor(minor, &currency);
    let shown =
        |sum: Sum| SimulatedSum { rewards: BigInt(sum.rewards), amount: money(sum.amount), net: money(sum.net) };
    let total = |of: fn(&RuleTotals) -> Sum| {
        let add = |one: Sum, other: Sum| Sum {
            rewards: one.rewards + other.rewards,
            amount: one.amount + other.amount,
            net: one.net + other.net,
        };
        shown(found.rules.iter().map(of).fold(Sum::default(), add))
    };
    let mut top_earners = Vec::with_capacity(found.top_earners.len());
    for earner in &found.top_earners {
        let user = User::referred_to(scope, earner.user, Sight::Staff).await?;
        top_earners.push(SimulatedEarner { user, net: money(earner.net) });
    }
    let count = |number: u64| BigInt(i64::try_from(number).unwrap_or(i64::MAX));
    let simulation = Simulation {
        events: count(found.events),
        simulated: total(|rule| rule.simulated),
        really: total(|rule| rule.really),
        people_paid: count(found.people_paid),
        top_earners,
        cap_hits: found
            .cap_hits
            .iter()
            .map(|(rule, times)| CapHits { rule: rule.clone(), times: count(*times) })
            .collect(),
        rules: found
            .rules
            .iter()
            .map(|rule| SimulatedRule {
                rule: rule.rule_key.clone(),
                level: rule.level,
                simulated: shown(rule.simulated),
                really: shown(rule.really),
                difference: money(rule.simulated.net - rule.really.net),
            })
            .collect(),
        program: Program(Arc::new(found.program)),
    };
    Ok(SimulateProgramResult { simulation: Some(simulation), user_errors: Vec::new() })
}
