//! What a caller takes: either media type of GraphQL over HTTP, a stream of events, or both.
//!
//! Source: GraphQL over HTTP, working draft (github.com/graphql/graphql-over-http, `spec/GraphQLOverHTTP.md`).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Most entries of an `Accept` header that are looked at.
const MAX_ENTRIES: usize = 32;

/// The media type of a stream of events.
pub const EVENTS: &str = "text/event-stream";

/// A media type of an answer that comes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request was run.
    GraphqlResponse,
    /// `application/json`: for older clients, which take any status but 200 for a broken connection.
    Json,
}

impl Media {
    /// The value of the `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// What a caller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Answers that come whole.
    Whole(Media),
    /// Streams of events, also of a single result.
    Events,
    /// Both: a single result comes whole, the results of a subscription as events.
    Either(Media),
}

impl Accepts {
    /// Chooses by the `Accept` headers: the highest `q`, then the newer type; `None` when nothing we send is acceptable.
    ///
    /// Nothing, or anything (`*/*`), means JSON, as the draft asks. Events have to be named. Who likes them just as much
    /// as JSON gets them for subscriptions only: urql, for one, names them with every query.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        if !headers.contains_key(ACCEPT) {
            return Some(Self::Whole(Media::Json));
        }
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let entries = values.flat_map(|value| value.split(',')).take(MAX_ENTRIES);
        let ranges: Vec<_> = entries.filter_map(parse_range).collect();
        let newer = best(&ranges, &["application/graphql-response+json"]);
        let older = best(&ranges, &["application/json", "application/*", "*/*"]);
        let media = if newer >= older { Media::GraphqlResponse } else { Media::Json };
        match (newer.max(older), best(&ranges, &[EVENTS])) {
            (0, 0) => None,
            (_, 0) => Some(Self::Whole(media)),
            (whole, events) if events > whole => Some(Self::Events),
            _ => Some(Self::Either(media)),
        }
    }
}

/// The quality, in thousandths, that the most specific matching range gives; 0 when none does.
fn best(ranges: &[(&str, u16)], names: &[&str]) -> u16 {
    let quality = |name: &&str| ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
    names.iter().find_map(quality).unwrap_or(0)
}

fn parse_range(entry: &str) -> Option<(&str, u16)> {
    let mut parts = entry.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
    Some((range, (quality.clamp(0.0, 1.0) * 1_000.0) as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<Accepts> {
        Accepts::negotiate(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
    }

    fn chosen(accept: &str) -> Option<Media> {
        accepted(accept).map(|accepts| match accepts {
            Accepts::Whole(media) => media,
            Accepts::Events | Accepts::Either(_) => panic!("events: {accept}"),
        })
    }

    #[test]
    fn nothing_asked_for_is_json() {
        assert_eq!(Accepts::negotiate(&HeaderMap::new()), Some(Accepts::Whole(Media::Json)));
        assert_eq!(chosen("*/*"), Some(Media::Json));
        assert_eq!(chosen("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Media::Json));
    }

    #[test]
    fn the_newer_type_is_given_to_who_asks() {
        assert_eq!(chosen("application/graphql-response+json"), Some(Media::GraphqlResponse));
        assert_eq!(chosen("application/json, application/graphql-response+json"), Some(Media::GraphqlResponse));
        assert_eq!(chosen("Application/GraphQL-Response+JSON; charset=utf-8"), Some(Media::GraphqlResponse));
    }

    #[test]
    fn quality_decides() {
        assert_eq!(chosen("application/graphql-response+json;q=0.5, application/json"), Some(Media::Json));
        assert_eq!(
            chosen("application/graphql-response+json, application/json;q=0.9"),
            Some(Media::GraphqlResponse),
            "what Apollo Client sends"
        );
    }

    #[test]
    fn events_are_for_who_names_them() {
        for accept in [
            "text/event-stream",
            "Text/Event-Stream;q=0.1",
            "text/event-stream, application/json;q=0.9",
            "text/event-stream, */*;q=0.1",
        ] {
            assert_eq!(accepted(accept), Some(Accepts::Events), "{accept}");
        }
        let urql = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, \
                    multipart/mixed";
        assert_eq!(accepted(urql), Some(Accepts::Either(Media::GraphqlResponse)));
        assert_eq!(accepted("text/event-stream;q=0.5, application/json"), Some(Accepts::Either(Media::Json)));
        for accept in ["text/event-stream;q=0, application/json", "*/*", "text/*, application/json"] {
            assert_eq!(accepted(accept), Some(Accepts::Whole(Media::Json)), "{accept}");
        }
        assert_eq!(accepted("text/event-stream;q=0"), None);
    }

    #[test]
    fn a_type_we_do_not_speak_is_not_acceptable() {
        assert_eq!(chosen("text/html"), None);
        assert_eq!(chosen("application/json;q=0"), None);
        assert_eq!(chosen(""), None);
        assert_eq!(chosen("application/json;q=many"), None);
    }
}
