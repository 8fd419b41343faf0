//! What is known about newcomers and those who share something with them: one snapshot for each referrer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{arrivals, judge::Policies, kin::Kin, people::Person};
use crate::{
    domain::{
        fraud::{self, Account, Finding, Listed, MissingEvidence, Policy, Signal, Snapshot, Traces, Translation, Why},
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        time::Timestamp,
        words::{ListingEffect, ListingSubject},
    },
    engine::{Engine, Error, evidence},
    store::{
        StoreError, Tx,
        models::{Evidence, User},
        run,
    },
};

/// Most signups that are looked at for each kind of evidence, for one batch. Where there are more, the newest count.
const PEERS_MAX: i64 = 2_000;

/// What is known about the newcomers of a batch.
#[derive(Default)]
pub(super) struct Suspects {
    snapshots: BTreeMap<Id, Snapshot>,
    listed: Listed,
    users: HashMap<Id, User>,
    /// Hashes of referrers as lists name them.
    names: HashMap<Id, KeyedHash>,
    homes: Homes,
}

/// The program of each one's own referral.
#[derive(Default)]
struct Homes {
    /// The only program that there is: then nobody's has to be looked up.
    only: Option<Id>,
    by_user: HashMap<Id, Id>,
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
        let first = newcomers.iter().filter_map(|person| person.referral.as_ref()).map(|referral| referral.created_at);
        let first = first.min().unwrap_or_else(|| engine.context.now());
        let since = policies.values().map(|(_, policy)| policy.since(first)).min().unwrap_or(first);
        let mut files = Files::default();
        let mut suspects = Self { homes: Homes::among(policies), ..Self::default() };
        let burst = Burst::of(policies);
        let shared = Shared::read(tx, (&own, &referrers), (since, burst)).await?;
        files.take(shared.rows().chain(&own));
        let accounts = shared.in_tree().filter_map(|row| files.account(row.user_id));
        let kin = Kin::load(tx, accounts, burst.limit).await?;
        newcomers.iter().for_each(|person| suspects.open(person, (&files, &kin)));
        for arrival in arrivals::load(tx, newcomers, policies).await? {
            if let Some(snapshot) = suspects.snapshots.get_mut(&arrival.referrer_id) {
                snapshot.arrivals.push((arrival.created_at, arrival.referred_id));
                suspects.homes.learn(arrival.referred_id, arrival.program_id);
            }
        }
        suspects.snapshots.values_mut().for_each(|snapshot| snapshot.arrivals.sort_unstable());
        suspects.homes.look_up(tx, suspects.snapshots.values()).await?;
        let others = suspects.snapshots.values().flat_map(|snapshot| &snapshot.relatives);
        let referrers: BTreeSet<Id> = others.map(|relative| relative.referrer).chain(referrers).collect();
        let everybody: BTreeSet<Id> = everybody.into_iter().chain(referrers.iter().copied()).collect();
        let users = run!(tx, users::by_ids(&everybody.into_iter().collect::<Vec<_>>()))?;
        let name = |user: &User| (user.id, engine.context.hash_key.hash(evidence::REFERRER, &user.external_id));
        suspects.names = users.iter().filter(|user| referrers.contains(&user.id)).map(name).collect();
        suspects.users = users.into_iter().map(|user| (user.id, user)).collect();
        suspects.consult_lists(tx, (engine, &files, &own)).await?;
        Ok(suspects)
    }

    /// Opens the snapshot of a newcomer's referrer, unless a brother or sister did.
    fn open(&mut self, person: &Person, (files, kin): (&Files, &Kin)) {
        let Some(referral) = &person.referral else { return };
        let (referrer, at) = (referral.referrer_id, referral.created_at);
        self.homes.learn(person.id, referral.program_id);
        let snapshot = self.snapshots.entry(referrer).or_insert_with(|| {
            let traces = files.by_user.get(&referrer).map(|(_, _, traces)| *traces).unwrap_or_default();
            let relatives = kin.of(&person.history.upline).into_iter().filter_map(|relative| files.account(relative));
            let relatives = relatives.filter(|relative| relative.referrer != referrer).collect();
            let people = files.brought_by(referrer).collect();
            Snapshot { first: at, referrer: traces, people, relatives, ..Snapshot::default() }
        });
        snapshot.first = snapshot.first.min(at);
        if snapshot.people.iter().all(|known| known.id != person.id) {
            let traces = files.by_user.get(&person.id).map(|(_, _, traces)| *traces).unwrap_or_default();
            snapshot.people.push(Account { id: person.id, referrer, at, traces });
        }
        let mailboxes = snapshot.people.iter().filter_map(|account| account.traces.mailbox);
        snapshot.mailboxes = mailboxes.filter_map(|hash| Some((hash, *files.first_with.get(&hash)?))).collect();
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

    /// All signs, each with the program whose policy weighs it: that of the referral which it is on.
    pub(super) fn findings(mut self, newcomers: &[&Person], policies: &Policies) -> Vec<(Finding, Id)> {
        let mut found = Vec::new();
        let new: BTreeSet<Id> = newcomers.iter().map(|person| person.id).collect();
        for (referrer, mut snapshot) in std::mem::take(&mut self.snapshots) {
            found.extend(self.certain(referrer, (&snapshot, &new), policies));
            snapshot.trust(&self.listed);
            let elsewhere: HashMap<Id, Id> = snapshot.relatives.iter().map(|one| (one.id, one.referrer)).collect();
            let is_trusted = |account: Id| {
                let referrer = elsewhere.get(&account).copied().unwrap_or(referrer);
                self.is_listed(ListingEffect::Allow, referrer)
            };
            // Newcomers whom others brought in are weighed among the people of those.
            let is_concerned = |account: Id| !(new.contains(&account) && elsewhere.contains_key(&account));
            for program in self.homes.of_all(&snapshot) {
                let Some((_, policy)) = policies.get(&program) else { continue };
                let findings = fraud::find(&snapshot, referrer, policy).into_iter();
                let findings = findings.filter(|finding| self.homes.of(finding.account) == Some(program));
                let findings = findings.filter(|finding| is_concerned(finding.account));
                let counts = |finding: &Finding| finding.signal == Signal::SelfReferral || !is_trusted(finding.account);
                found.extend(findings.filter(counts).map(|finding| (finding, program)));
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
        (snapshot, new): (&Snapshot, &BTreeSet<Id>),
        policies: &Policies,
    ) -> Vec<(Finding, Id)> {
        let mut found = Vec::new();
        for account in snapshot.people.iter().filter(|account| new.contains(&account.id)) {
            let Some(program) = self.homes.of(account.id) else { continue };
            let Some((_, policy)) = policies.get(&program) else { continue };
            let signs =
                [self.is_one_person(referrer, account.id), self.blocked(referrer, account), missing(account, policy)];
            found.extend(signs.into_iter().flatten().map(|finding| (finding, program)));
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

impl Homes {
    fn among(policies: &Policies) -> Self {
        let only = policies.keys().next().filter(|_| policies.len() == 1).copied();
        Self { only, by_user: HashMap::new() }
    }

    fn learn(&mut self, user: Id, program: Id) {
        if self.only.is_none() {
            self.by_user.insert(user, program);
        }
    }

    /// Looks up those that are not known yet, all at once.
    async fn look_up(&mut self, tx: &mut Tx, snapshots: impl Iterator<Item = &Snapshot>) -> Result<(), StoreError> {
        let accounts = snapshots.flat_map(|snapshot| snapshot.people.iter().chain(&snapshot.relatives));
        let unknown: BTreeSet<Id> = accounts.map(|account| account.id).filter(|id| self.of(*id).is_none()).collect();
        if !unknown.is_empty() {
            self.by_user.extend(run!(tx, referrals::programs_of(unknown.into_iter().collect()))?);
        }
        Ok(())
    }

    fn of(&self, user: Id) -> Option<Id> {
        self.only.or_else(|| self.by_user.get(&user).copied())
    }

    /// The programs of everybody in a snapshot.
    fn of_all(&self, snapshot: &Snapshot) -> BTreeSet<Id> {
        let accounts = snapshot.people.iter().chain(&snapshot.relatives).map(|account| account.id);
        let arrivals = snapshot.arrivals.iter().map(|(_, arrived)| *arrived);
        accounts.chain(arrivals).filter_map(|user| self.of(user)).collect()
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

/// The longest window and the lowest limit of a burst from one network, of all policies that look for it.
#[derive(Clone, Copy)]
struct Burst {
    window_micros: i64,
    limit: usize,
}

impl Burst {
    fn of(policies: &Policies) -> Self {
        let wanted = policies.values().map(|(_, policy)| policy.of(Signal::NetworkBurst));
        let wanted: Vec<_> = wanted.filter(|limits| limits.is_wanted()).collect();
        let window_micros = wanted.iter().map(|limits| limits.window_micros()).max().unwrap_or(0);
        let limit = wanted.iter().map(|limits| limits.threshold).min().map_or(usize::MAX, |limit| limit as usize);
        Self { window_micros, limit }
    }
}

/// Signups that share something with newcomers, the newcomers among them.
struct Shared {
    near: Vec<Evidence>,
    devices: Vec<Evidence>,
    mailboxes: Vec<Evidence>,
    /// Whoever came from one of their networks about when they did.
    networks: Vec<Evidence>,
}

impl Shared {
    async fn read(
        tx: &mut Tx,
        (own, referrers): (&[Evidence], &BTreeSet<Id>),
        (since, burst): (Timestamp, Burst),
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
        let networks = both(|row| [row.network_hash, row.former_network_hash]);
        let first = newcomers.iter().map(|row| row.created_at).min().unwrap_or(since);
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
            networks: match networks.is_empty() || burst.limit == usize::MAX {
                true => Vec::new(),
                false => run!(tx, evidence::in_networks(networks, first.plus_micros(-burst.window_micros), PEERS_MAX))?,
            },
        })
    }

    fn rows(&self) -> impl Iterator<Item = &Evidence> + Clone {
        self.near.iter().chain(&self.devices).chain(&self.mailboxes).chain(&self.networks)
    }

    /// Those among whom people of one tree are looked for.
    fn in_tree(&self) -> impl Iterator<Item = &Evidence> {
        self.devices.iter().chain(&self.networks)
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
