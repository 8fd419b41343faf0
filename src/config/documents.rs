//! Settings of how large GraphQL documents may be.

use clap::Args;

use super::ConfigError;
use crate::graphql::document::Limits;

/// Most tokens that may be allowed: a text of the largest size has hardly more.
const MOST_TOKENS: usize = 10_000;
/// Most of each thing that may be allowed in a document; the executor's own validation grows with all of them.
const MOST_PARTS: usize = 1_000;
/// Deepest fields that may be allowed: the parser gives up a little later.
const DEEPEST: usize = 60;
/// Most objects that one document may be allowed to ask for.
const MOST_COST: u64 = 1_000_000;

/// How large GraphQL documents may be, where whoever runs the server has a say.
#[derive(Args, Clone, Debug)]
pub struct DocumentOptions {
    /// Most tokens of a document.
    #[arg(long, env = "DOCUMENT_TOKENS", default_value_t = Limits::default().tokens, global = true)]
    pub document_tokens: usize,
    /// Most aliases in a document.
    #[arg(long, env = "DOCUMENT_ALIASES", default_value_t = Limits::default().aliases, global = true)]
    pub document_aliases: usize,
    /// Most fields at the root of an operation.
    #[arg(long, env = "DOCUMENT_ROOT_FIELDS", default_value_t = Limits::default().root_fields, global = true)]
    pub document_root_fields: usize,
    /// Most fragments of a document.
    #[arg(long, env = "DOCUMENT_FRAGMENTS", default_value_t = Limits::default().fragments, global = true)]
    pub document_fragments: usize,
    /// Most spreads of fragments in a document.
    #[arg(long, env = "DOCUMENT_SPREADS", default_value_t = Limits::default().spreads, global = true)]
    pub document_spreads: usize,
    /// Most directives in a document.
    #[arg(long, env = "DOCUMENT_DIRECTIVES", default_value_t = Limits::default().directives, global = true)]
    pub document_directives: usize,
    /// Most fields inside each other.
    #[arg(long, env = "DOCUMENT_DEPTH", default_value_t = Limits::default().depth, global = true)]
    pub document_depth: usize,
    /// Most objects that an operation may ask for.
    #[arg(long, env = "DOCUMENT_COST", default_value_t = Limits::default().cost, global = true)]
    pub document_cost: u64,
}

impl DocumentOptions {
    /// The limits that documents are held to.
    ///
    /// # Errors
    /// The first setting that would let no document pass, or so much that it is no limit any more.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        let parts = |variable, given| within(variable, given, MOST_PARTS);
        if !(1..=MOST_COST).contains(&self.document_cost) {
            return Err(refused("DOCUMENT_COST", self.document_cost, MOST_COST));
        }
        Ok(Limits {
            tokens: within("DOCUMENT_TOKENS", self.document_tokens, MOST_TOKENS)?,
            aliases: parts("DOCUMENT_ALIASES", self.document_aliases)?,
            root_fields: parts("DOCUMENT_ROOT_FIELDS", self.document_root_fields)?,
            fragments: parts("DOCUMENT_FRAGMENTS", self.document_fragments)?,
            spreads: parts("DOCUMENT_SPREADS", self.document_spreads)?,
            directives: parts("DOCUMENT_DIRECTIVES", self.document_directives)?,
            depth: within("DOCUMENT_DEPTH", self.document_depth, DEEPEST)?,
            cost: self.document_cost,
            ..Limits::default()
        })
    }
}

fn within(variable: &'static str, given: usize, most: usize) -> Result<usize, ConfigError> {
    if (1..=most).contains(&given) { Ok(given) } else { Err(refused(variable, given as u64, most as u64)) }
}

fn refused(variable: &'static str, given: u64, most: u64) -> ConfigError {
    ConfigError::Document { variable, given, most }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Cli, Options};

    fn options(args: &[&str]) -> Options {
        Cli::parse_from(std::iter::once("banyan").chain(args.iter().copied())).options
    }

    const SETTINGS: [(&str, &str, u64); 8] = [
        ("--document-tokens", "DOCUMENT_TOKENS", 10_000),
        ("--document-aliases", "DOCUMENT_ALIASES", 1_000),
        ("--document-root-fields", "DOCUMENT_ROOT_FIELDS", 1_000),
        ("--document-fragments", "DOCUMENT_FRAGMENTS", 1_000),
        ("--document-spreads", "DOCUMENT_SPREADS", 1_000),
        ("--document-directives", "DOCUMENT_DIRECTIVES", 1_000),
        ("--document-depth", "DOCUMENT_DEPTH", 60),
        ("--document-cost", "DOCUMENT_COST", 1_000_000),
    ];

    #[test]
    fn the_usual_limits_hold_unless_told() {
        assert_eq!(options(&[]).documents.limits(), Ok(Limits::default()));
    }

    #[test]
    fn each_limit_can_be_told() {
        let numbers: Vec<String> = (1..=8).map(|number| number.to_string()).collect();
        let args: Vec<&str> =
            SETTINGS.iter().zip(&numbers).flat_map(|((flag, ..), number)| [*flag, number.as_str()]).collect();
        let told = Limits {
            tokens: 1,
            aliases: 2,
            root_fields: 3,
            fragments: 4,
            spreads: 5,
            directives: 6,
            depth: 7,
            cost: 8,
            ..Limits::default()
        };
        let options = options(&args);
        assert_eq!((options.check(), options.documents.limits()), (Ok(()), Ok(told)));
    }

    #[test]
    fn nothing_at_all_and_no_limit_at_all_are_refused() {
        for (flag, variable, most) in SETTINGS {
            assert_eq!(options(&[flag, &most.to_string()]).check(), Ok(()), "{flag}");
            for given in [0, most + 1, u64::from(u32::MAX)] {
                let refused = options(&[flag, &given.to_string()]).check().unwrap_err();
                assert_eq!(refused, ConfigError::Document { variable, given, most });
                assert_eq!(refused.to_string(), format!("{variable} must be 1 to {most}; it is {given}"));
            }
        }
    }
}
