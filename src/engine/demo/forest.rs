//! Forests of referrals as they grow in the wild: pure, and the same for the same seed.
//!
//! Person after person arrives and either is a root or picks a referrer at random, by weight. Where weights fade with
//! age, all fade at one rate: only their ratios matter, so a weight is written down once, as what it is worth at birth,
//! and never touched again. A person drawn by children has one more ticket for each child.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Years over which a forest grows.
const YEARS: f64 = 8.0;

/// How a forest looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One person in twenty brings in everybody, with strengths that differ by orders of magnitude and fade slowly.
    Recruiters,
    /// Most come by themselves; whoever brought somebody in is likelier to do so again.
    Consumer,
    /// Few roots, and the newcomers do the work: deep.
    Network,
    /// One person brought in everybody.
    Star,
    /// Everybody brought in one.
    Chain,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 5] = [Self::Recruiters, Self::Consumer, Self::Network, Self::Star, Self::Chain];

    /// The word for it on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recruiters => "recruiters",
            Self::Consumer => "consumer",
            Self::Network => "network",
            Self::Star => "star",
            Self::Chain => "chain",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.word() == word)
    }

    /// The share of people whom nobody brought in.
    const fn roots(self) -> f64 {
        match self {
            Self::Recruiters => 0.055,
            Self::Consumer => 0.6,
            Self::Network => 0.04,
            Self::Star | Self::Chain => 0.0,
        }
    }

    /// Years in which a person's pull falls to 1/e; nothing where it does not.
    const fn fades_in(self) -> Option<f64> {
        match self {
            Self::Recruiters => Some(YEARS),
            Self::Network => Some(1.0),
            Self::Consumer | Self::Star | Self::Chain => None,
        }
    }
}

/// Who brought in whom among `people` people, who are numbered from 0 in the order of their arrival: `(child, parent)`, by
/// child. A parent's number is always below its child's; numbers that are nobody's child are roots, 0 always is one.
pub fn generate_forest(people: u32, shape: Shape, seed: u64) -> Vec<(u32, u32)> {
    let mut rng = StdRng::seed_from_u64(seed);
    match shape {
        Shape::Star => (1..people).map(|child| (child, 0)).collect(),
        Shape::Chain => (1..people).map(|child| (child, child - 1)).collect(),
        Shape::Recruiters | Shape::Consumer | Shape::Network => grow(people, shape, &mut rng),
    }
}

fn grow(people: u32, shape: Shape, rng: &mut StdRng) -> Vec<(u32, u32)> {
    let mut tickets = Tickets::default();
    let mut edges = Vec::new();
    for child in 0..people {
        let parent = if rng.random::<f64>() < shape.roots() { None } else { tickets.draw(rng) };
        if let Some(parent) = parent {
            edges.push((child, parent));
            if shape != Shape::Recruiters {
                tickets.add(parent, at_birth(parent, people, shape));
            }
        }
        let pull = if shape == Shape::Recruiters { strength(child, rng) } else { 1.0 };
        tickets.add(child, pull * at_birth(child, people, shape));
    }
    edges
}

/// What a weight of 1 at a person's arrival is worth then, measured by what it will be worth at the end.
fn at_birth(person: u32, people: u32, shape: Shape) -> f64 {
    let year = YEARS * f64::from(person) / f64::from(people.max(1));
    shape.fades_in().map_or(1.0, |years| (year / years).exp())
}

/// The pull of a recruiter: log-normal with parameters 0 and 2.5; nothing for nineteen people in twenty. The first person
/// is always a strong one, or early forests would have nobody to grow from.
fn strength(person: u32, rng: &mut StdRng) -> f64 {
    if person == 0 {
        return (2.5_f64 * 2.0).exp();
    }
    if rng.random::<f64>() >= 0.05 {
        return 0.0;
    }
    (2.5 * normal(rng)).exp()
}

/// A standard normal number: Box and Muller, "A note on the generation of random normal deviates", 1958.
fn normal(rng: &mut StdRng) -> f64 {
    let (one, other): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * one.ln()).sqrt() * (TAU * other).cos()
}

/// A lottery to which tickets are only ever added.
#[derive(Default)]
struct Tickets {
    people: Vec<u32>,
    /// Sums of the weights up to and including each ticket.
    sums: Vec<f64>,
}

impl Tickets {
    fn add(&mut self, person: u32, weight: f64) {
        if weight > 0.0 {
            self.sums.push(self.sums.last().unwrap_or(&0.0) + weight);
            self.people.push(person);
        }
    }

    fn draw(&self, rng: &mut StdRng) -> Option<u32> {
        let drawn = self.sums.last()? * rng.random::<f64>();
        let place = self.sums.partition_point(|sum| *sum <= drawn);
        self.people.get(place).or(self.people.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    struct Seen {
        roots: usize,
        depth: u32,
        hub: usize,
        parents: usize,
    }

    fn look(people: u32, shape: Shape) -> Seen {
        let edges = generate_forest(people, shape, 7);
        let (mut levels, mut children) = (HashMap::new(), HashMap::<u32, usize>::new());
        for (child, parent) in &edges {
            assert!(parent < child);
            let level = levels.get(parent).unwrap_or(&0) + 1;
            assert!(levels.insert(*child, level).is_none(), "nobody has two parents");
            *children.entry(*parent).or_default() += 1;
        }
        Seen {
            roots: people as usize - edges.len(),
            depth: levels.values().copied().max().unwrap_or(0),
            hub: children.values().copied().max().unwrap_or(0),
            parents: children.len(),
        }
    }

    #[test]
    fn recruiters_are_few_and_shallow() {
        let seen = look(7_000, Shape::Recruiters);
        assert!((250..600).contains(&seen.roots), "{}", seen.roots);
        assert!(
            seen.hub > 300 && seen.parents < 400 && seen.depth < 15,
            "{} {} {}",
            seen.hub,
            seen.parents,
            seen.depth
        );
    }

    #[test]
    fn consumers_come_alone_and_networks_are_deep() {
        let consumer = look(7_000, Shape::Consumer);
        assert!((3_900..4_500).contains(&consumer.roots), "{}", consumer.roots);
        let network = look(7_000, Shape::Network);
        assert!(network.depth > 15 && network.roots < 400, "{} {}", network.depth, network.roots);
    }

    #[test]
    fn plain_shapes_are_what_they_say() {
        let (star, chain) = (look(1_000, Shape::Star), look(1_000, Shape::Chain));
        assert_eq!((star.roots, star.depth, star.hub), (1, 1, 999));
        assert_eq!((chain.roots, chain.depth, chain.hub), (1, 999, 1));
        for shape in Shape::ALL {
            assert!(generate_forest(0, shape, 1).is_empty() && generate_forest(1, shape, 1).is_empty());
            assert_eq!(generate_forest(500, shape, 3), generate_forest(500, shape, 3), "{shape:?}");
            assert_eq!(Shape::from_word(shape.word()), Some(shape));
        }
    }
}
