//! What is known about newcomers and those who share something with them: one snapshot for each referrer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{judge::Policies, people::Person};
use crate::{
    domain::{
        fraud::{self, Account, Finding, Listed, MissingEvidence, Policy, Signal, Snapshot, Traces, Translation, Why},
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        time::{DAY_MICROS, Timestamp},
        words::{ListingEffect, ListingSubject},
    },
    engine::{Engine, Error, evidence},
    store::{
        Tx,
        models::{Evidence, User},
        run,
    },
};

/// Most signups that are looked at for each kind of evidence, for one batch. Where there are more, the newest count.
const PEERS_MAX: i64 = 2_000;
/// Most arrivals around a batch that are looked at.
const ARRIVALS_MAX: i64 = 5_000;

/// What is known about the newcomers of a batch.
#[derive(Default)]
pub(super) struct Suspects {
    snapshots: BTreeMap<Id, Snapshot>,
    listed: Listed,
    users: HashMap<Id, User>,
    /// Hashes of referrers as lists name them.
    names: HashMap<Id, KeyedHash>,
}

/// Rows of evidence by whose they are, under the present key.
#[derive(Default)]
struct Files {
    by_user: BTreeMap<Id, (Option<Id>, Timestamp, Traces)>,
    by_referrer: HashMap<Id, Vec<Id>>,
    /// The first account with each mailbox.
    first_with: HashMap<KeyedHash, (Timestamp, Id)>,
    translation: Translation,
}

impl Suspects {
    /// Reads all that newcomers are compared with. Their referrers' fraud rows are locked.
    pub(super) async fn load(
        engine: &Engine,
        tx: &mut Tx,
        newcomers: &[&Person],
        policies: &Policies,
    ) -> Result<Self, Error> {
        if newcomers.is_empty() {
            return Ok(Self::default());
        }
        let pairs: Vec<(Id, Id)> = newcomers.iter().filter_map(|person| pair(person)).collect();
        let referrers: BTreeSet<Id> = pairs.iter().map(|(_, referrer)| *referrer).collect();
        let everybody: Vec<Id> = pairs.iter().map(|(id, _)| *id).chain(referrers.iter().copied()).collect();
        let own = run!(tx, evidence::of_users(everybody.clone()))?;
        let lookback = policies.values().map(|(_, policy)| policy.lookback_days).max().unwrap_or(0);
        let since = engine.context.now().plus_micros(-i64::from(lookback) * DAY_MICROS);
        let mut files = Files::default();
        let mut suspects = Self::default();
        let shared = Shared::read(tx, (&own, &referrers), since).await?;
        files.take(own.iter().chain(&shared.near).chain(&shared.devices).chain(&shared.mailboxes));
        newcomers.iter().for_each(|person| suspects.open(person, &files));
        suspects.arrivals(tx, (newcomers, policies)).await?;
        let users = run!(tx, users::by_ids(&everybody))?;
        let name = |user: &User| (user.id, engine.context.hash_key.hash(evidence::REFERRER, &user.external_id));
        suspects.names = users.iter().filter(|user| referrers.contains(&user.id)).map(name).collect();
        suspects.users = users.into_iter().map(|user| (user.id, user)).collect();
        suspects.consult_lists(tx, (engine, &files, &own)).await?;
        Ok(suspects)
    }

    /// Opens the snapshot of a newcomer's referrer, unless a brother or sister did.
    fn open(&mut self, person: &Person, files: &Files) {
        let Some((_, referrer)) = pair(person) else { return };
        let snapshot = self.snapshots.entry(referrer).or_insert_with(|| {
            let traces = files.by_user.get(&referrer).map(|(_, _, traces)| *traces).unwrap_or_default();
            let chain = person.history.upline.iter().filter(|ancestor| **ancestor != referrer);
            let relatives = chain.flat_map(|ancestor| files.brought_by(*ancestor)).collect();
            let people = files.brought_by(referrer).collect();
            Snapshot { referrer: traces, people, relatives, ..Snapshot::default() }
        });
        if snapshot.people.iter().all(|known| known.id != person.id) {
            let at = person.referral.as_ref().map_or(Timestamp::EPOCH, |referral| referral.created_at);
            let traces = files.by_user.get(&person.id).map(|(_, _, traces)| *traces).unwrap_or_default();
            snapshot.people.push(Account { id: person.id, referrer, at, traces });
        }
        let mailboxes = snapshot.people.iter().filter_map(|account| account.traces.mailbox);
        snapshot.mailboxes = mailboxes.filter_map(|hash| Some((hash, *files.first_with.get(&hash)?))).collect();
    }

    async fn arrivals(&mut self, tx: &mut Tx, (newcomers, policies): (&[&Person], &Policies)) -> Result<(), Error> {
        let first = newcomers.iter().filter_map(|person| Some(person.referral.as_ref()?.created_at)).min();
        let windows = policies.values().map(|(_, policy)| policy.of(Signal::Velocity).window_micros());
        let from = first.unwrap_or(Timestamp::EPOCH).plus_micros(-windows.max().unwrap_or(0));
        let referrers: Vec<Id> = self.snapshots.keys().copied().collect();
        for (referrer, at, id) in run!(tx, referrals::arrivals(referrers, Id::new(from, [0; 10]), ARRIVALS_MAX))? {
            if let Some(snapshot) = self.snapshots.get_mut(&referrer) {
                snapshot.arrivals.push((at, id));
            }
        }
        self.snapshots.values_mut().for_each(|snapshot| snapshot.arrivals.sort_unstable());
        Ok(())
    }

    /// Reads what is listed of all this; most installations list nothing.
    async fn consult_lists(
        &mut self,
        tx: &mut Tx,
        (engine, files, own): (&Engine, &Files, &[Evidence]),
    ) -> Result<(), Error> {
        if !run!(tx, listings::any())? {
            return Ok(());
        }
        let own = own.iter().flat_map(|row| present(row).into_iter().chain(former(row)).flatten());
        let mut hashes: BTreeSet<[u8; 32]> = own.map(|hash| hash.0).collect();
        hashes.extend(self.names.values().map(|name| name.0));
        let referrers = self.names.keys().filter_map(|referrer| self.users.get(referrer));
        let former_name = |user: &User| engine.context.hash_key.former_hash(evidence::REFERRER, &user.external_id);
        let mut translation = files.translation.clone();
        for user in referrers {
            translation.learn(former_name(user), self.names.get(&user.id).copied());
            hashes.extend(former_name(user).map(|name| name.0));
        }
        let hashes = hashes.into_iter().map(KeyedHash).collect();
        let entries = run!(tx, listings::in_force(hashes, engine.context.now()))?;
        self.listed = Listed::of(entries.into_iter().map(|entry| {
            let hash = translation.present(Some(entry.subject_hash)).unwrap_or(entry.subject_hash);
            (entry.effect, entry.subject, hash)
        }));
        Ok(())
    }

    /// All signs, each with the program whose policy weighs it.
    pub(super) fn findings(mut self, newcomers: &[&Person], policies: &Policies) -> Vec<(Finding, Id)> {
        let mut found = Vec::new();
        for (referrer, mut snapshot) in std::mem::take(&mut self.snapshots) {
            let mut weighed_by: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
            for person in newcomers.iter().filter(|person| pair(person).is_some_and(|(_, of)| of == referrer)) {
                let Some(referral) = &person.referral else { continue };
                weighed_by.entry(referral.program_id).or_default().insert(person.id);
            }
            let new: BTreeSet<Id> = weighed_by.values().flatten().copied().collect();
            let is_trusted = self.is_listed(ListingEffect::Allow, referrer);
            found.extend(self.certain(referrer, (&snapshot, &weighed_by), policies));
            snapshot.trust(&self.listed);
            for (place, (program, of)) in weighed_by.iter().enumerate() {
                let Some((_, policy)) = policies.get(program) else { continue };
                // Those who were there before are weighed by the policy of the first who brought the new evidence.
                let concerned = |id: &Id| of.contains(id) || (place == 0 && !new.contains(id));
                let findings = fraud::find(&snapshot, referrer, policy).into_iter();
                let findings = findings.filter(|finding| concerned(&finding.account));
                let findings = findings.filter(|finding| !is_trusted || finding.signal == Signal::SelfReferral);
                found.extend(findings.map(|finding| (finding, *program)));
            }
        }
        found
    }

    fn is_listed(&self, effect: ListingEffect, referrer: Id) -> bool {
        let name = self.names.get(&referrer);
        name.is_some_and(|name| self.listed.has(effect, (ListingSubject::Referrer, *name)))
    }

    /// Signs on newcomers that decide by themselves.
    fn certain(
        &self,
        referrer: Id,
        (snapshot, weighed_by): (&Snapshot, &BTreeMap<Id, BTreeSet<Id>>),
        policies: &Policies,
    ) -> Vec<(Finding, Id)> {
        let mut found = Vec::new();
        for (program, of) in weighed_by {
            let Some((_, policy)) = policies.get(program) else { continue };
            for account in snapshot.people.iter().filter(|account| of.contains(&account.id)) {
                let signs = [
                    self.is_one_person(referrer, account.id),
                    self.blocked(referrer, account),
                    missing(account, policy),
                ];
                found.extend(signs.into_iter().flatten().map(|finding| (finding, *program)));
            }
        }
        found
    }

    fn is_one_person(&self, referrer: Id, account: Id) -> Option<Finding> {
        let (one, other) = (self.users.get(&referrer)?, self.users.get(&account)?);
        let same = |ours: Option<KeyedHash>, theirs: Option<KeyedHash>| ours.is_some() && ours == theirs;
        let is_one = same(one.email_hash, other.email_hash) || same(one.phone_hash, other.phone_hash);
        let why = Why { with: vec![referrer.typed(Noun::User)], ..Why::default() };
        is_one.then_some(Finding { account, signal: Signal::SelfReferral, why })
    }

    fn blocked(&self, referrer: Id, account: &Account) -> Option<Finding> {
        let named = account.traces.listed_as().find(|listed| self.listed.has(ListingEffect::Block, *listed));
        let named = named.map(|(subject, _)| subject);
        let referrer = self.is_listed(ListingEffect::Block, referrer).then_some(ListingSubject::Referrer);
        let why = Why { listed: Some(named.or(referrer)?.word()), ..Why::default() };
        Some(Finding { account: account.id, signal: Signal::BlockListed, why })
    }
}

/// The sign that nothing is known of where a signup came from, where a policy asks for it.
fn missing(account: &Account, policy: &Policy) -> Option<Finding> {
    let is_held = policy.missing_evidence == MissingEvidence::Hold && account.traces.say_nothing();
    is_held.then(|| Finding { account: account.id, signal: Signal::MissingEvidence, why: Why::default() })
}

fn pair(person: &Person) -> Option<(Id, Id)> {
    person.referral.as_ref().map(|referral| (person.id, referral.referrer_id))
}

/// Signups that share something with newcomers, the newcomers among them.
struct Shared {
    near: Vec<Evidence>,
    devices: Vec<Evidence>,
    mailboxes: Vec<Evidence>,
}

impl Shared {
    async fn read(
        tx: &mut Tx,
        (own, referrers): (&[Evidence], &BTreeSet<Id>),
        since: Timestamp,
    ) -> Result<Self, Error> {
        let newcomers: Vec<&Evidence> =
            own.iter().filter(|row| row.referrer_id.is_some_and(|of| referrers.contains(&of))).collect();
        let both = |of: fn(&Evidence) -> [Option<KeyedHash>; 2]| {
            let hashes = newcomers.iter().flat_map(|row| of(row)).flatten();
            let distinct: BTreeSet<[u8; 32]> = hashes.map(|hash| hash.0).collect();
            distinct.into_iter().map(KeyedHash).collect::<Vec<_>>()
        };
        let pairs = newcomers.iter().flat_map(|row| {
            let networks = [row.network_hash, row.former_network_hash].into_iter().flatten();
            networks.filter_map(|network| Some((row.referrer_id?, network.0)))
        });
        let pairs: BTreeSet<(Id, [u8; 32])> = pairs.collect();
        let pairs = pairs.into_iter().map(|(referrer, network)| (referrer, KeyedHash(network))).collect();
        let devices = both(|row| [row.device_hash, row.former_device_hash]);
        let mailboxes = both(|row| [row.alias_hash, row.former_alias_hash]);
        Ok(Self {
            near: run!(tx, evidence::near(pairs, since, PEERS_MAX))?,
            devices: match devices.is_empty() {
                true => Vec::new(),
                false => run!(tx, evidence::on_devices(devices, since, PEERS_MAX))?,
            },
            mailboxes: match mailboxes.is_empty() {
                true => Vec::new(),
                false => run!(tx, evidence::with_mailboxes(mailboxes, PEERS_MAX))?,
            },
        })
    }
}

impl Files {
    fn take<'a>(&mut self, rows: impl Iterator<Item = &'a Evidence> + Clone) {
        for row in rows.clone() {
            for (former, present) in former(row).into_iter().zip(present(row)) {
                self.translation.learn(former, present);
            }
        }
        for row in rows {
            let [ip, network, device, mailbox, domain] = present(row).map(|hash| self.translation.present(hash));
            let traces = Traces { ip, network, device, mailbox, domain, disposable: row.disposable };
            if let Some(mailbox) = mailbox {
                let first = self.first_with.entry(mailbox).or_insert((row.created_at, row.user_id));
                *first = (*first).min((row.created_at, row.user_id));
            }
            let is_new = self.by_user.insert(row.user_id, (row.referrer_id, row.created_at, traces)).is_none();
            if let Some(referrer) = row.referrer_id.filter(|_| is_new) {
                self.by_referrer.entry(referrer).or_default().push(row.user_id);
            }
        }
    }

    fn brought_by(&self, referrer: Id) -> impl Iterator<Item = Account> {
        self.by_referrer.get(&referrer).into_iter().flatten().filter_map(|id| self.account(*id))
    }

    fn account(&self, id: Id) -> Option<Account> {
        let (referrer, at, traces) = self.by_user.get(&id)?;
        Some(Account { id, referrer: (*referrer)?, at: *at, traces: *traces })
    }
}

fn present(row: &Evidence) -> [Option<KeyedHash>; 5] {
    [row.ip_hash, row.network_hash, row.device_hash, row.alias_hash, row.domain_hash]
}

fn former(row: &Evidence) -> [Option<KeyedHash>; 5] {
    let former = [row.former_ip_hash, row.former_network_hash, row.former_device_hash];
    let [ip, network, device] = former;
    [ip, network, device, row.former_alias_hash, row.former_domain_hash]
}
