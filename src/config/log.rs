//! Which log lines there are: our own by a level, those of libraries only by name.

use tracing::level_filters::LevelFilter;

/// The most that libraries say without being named. Below it they log what they were given: h2, for one, writes down paths
/// that it cannot take, with all that a caller put into them.
const OF_OTHERS: LevelFilter = LevelFilter::INFO;

/// The directives of the filter: a level that stands alone, and would let more than `info` through, is our own level.
pub(super) fn directives(given: &str) -> String {
    let narrowed = |directive: &str| match directive.trim().parse::<LevelFilter>() {
        Ok(level) if level > OF_OTHERS => format!("{OF_OTHERS},banyan={level}"),
        _ => directive.to_owned(),
    };
    given.split(',').map(narrowed).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_alone_is_ours() {
        assert_eq!(directives("trace"), "info,banyan=trace");
        assert_eq!(directives("Debug"), "info,banyan=debug");
        assert_eq!(directives(" 05 "), "info,banyan=trace");
    }

    #[test]
    fn who_is_named_says_what_is_asked_for() {
        assert_eq!(directives("debug,h2=trace"), "info,banyan=debug,h2=trace");
        assert_eq!(directives("debug,banyan=trace"), "info,banyan=debug,banyan=trace");
        for given in ["info", "warn,banyan=debug", "error", "off", "", "banyan::store[x{y=1}]=trace"] {
            assert_eq!(directives(given), given);
        }
    }
}
