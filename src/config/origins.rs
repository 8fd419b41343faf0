//! Settings of who may ask from a page.

use clap::Args;

use super::ConfigError;
use crate::http::Origin;

/// Which pages of other sites may use the API.
#[derive(Args, Clone, Debug)]
pub struct OriginOptions {
    /// Origins of pages that may use the API, as in `https://app.example,http://localhost:3000`.
    #[arg(long, env = "ALLOWED_ORIGINS", value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,
}

impl OriginOptions {
    /// The origins that are listed.
    ///
    /// # Errors
    /// The first entry that is not written as browsers write an origin.
    pub fn listed(&self) -> Result<Vec<Origin>, ConfigError> {
        let given = self.allowed_origins.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        given.map(|text| text.parse().map_err(|_| ConfigError::Origin(text.to_owned()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Cli, Options};

    fn listing(origins: &str) -> Options {
        Cli::parse_from(["banyan", "--allowed-origins", origins]).options
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        let listed = listing("https://app.example, http://localhost:3000,");
        let expected = ["https://app.example", "http://localhost:3000"].map(|text| text.parse().unwrap());
        assert_eq!((listed.check(), listed.origins.listed()), (Ok(()), Ok(expected.to_vec())));
        for text in ["*", "app.example", "https://app.example/"] {
            let refused = listing(&format!("https://app.example,{text}")).check().unwrap_err();
            assert_eq!(refused, ConfigError::Origin(text.to_owned()));
            assert!(refused.to_string().contains(&format!("`{text}`")), "{refused}");
        }
    }
}
