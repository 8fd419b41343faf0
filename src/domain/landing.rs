//! Where a referral link leads (rule 3): never to where a query says, unless the host is on the operator's list.

use url::Url;

/// Longest address of a landing page, in bytes.
const PAGE_MAX_LEN: usize = 2_048;
/// Longest name of a parameter, in bytes.
const NAME_MAX_LEN: usize = 64;
/// Parameters of campaigns, which are passed on as they came.
pub const CAMPAIGN: [&str; 6] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"];
/// Name of the parameter that carries the code, unless a program says otherwise.
pub const REF_PARAMETER: &str = "ref";
/// Name of the parameter that carries the click, unless a program says otherwise.
pub const CLICK_PARAMETER: &str = "click_id";

/// Why something cannot be a landing page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LandingError {
    /// Not an address of the web.
    #[error("a landing page is an address such as `https://shop.example/welcome`, of at most {PAGE_MAX_LEN} bytes")]
    Page,
    /// Not the plain name of a host.
    #[error("a host is a plain name such as `shop.example`, without scheme, port and path")]
    Host,
    /// Not a name for a parameter.
    #[error("the name of a parameter has 1 to {NAME_MAX_LEN} of the signs a-z, A-Z, 0-9, _ and -")]
    Parameter,
}

/// Checks the address of a landing page: `https` or `http`, with a host, without a login.
///
/// # Errors
/// When it is anything else.
pub fn page(text: &str) -> Result<Url, LandingError> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if text.len() > PAGE_MAX_LEN || !printable {
        return Err(LandingError::Page);
    }
    let url = Url::parse(text).map_err(|_| LandingError::Page)?;
    let plain = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    if plain && url.has_host() { Ok(url) } else { Err(LandingError::Page) }
}

/// Checks the name of a parameter.
///
/// # Errors
/// When it has other signs, or is one of a campaign.
pub fn parameter(name: &str) -> Result<(), LandingError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let fits = (1..=NAME_MAX_LEN).contains(&name.len()) && plain && !CAMPAIGN.contains(&name);
    if fits { Ok(()) } else { Err(LandingError::Parameter) }
}

/// The address with these parameters, which replace its own of the same names.
pub fn with_parameters(mut url: Url, parameters: &[(&str, &str)]) -> Url {
    let named = |name: &str| parameters.iter().any(|(ours, _)| *ours == name);
    let own: Vec<(String, String)> =
        url.query_pairs().filter(|(name, _)| !named(name)).map(|(name, value)| (name.into(), value.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(own).extend_pairs(parameters);
    url
}

/// Where links of this installation lead.
#[derive(Clone, Debug)]
pub struct Landing {
    default: Url,
    /// Exact names of hosts that `?to=` may lead to, in lower case.
    hosts: Vec<String>,
}

impl Landing {
    /// Takes the default page and the hosts that a link may name.
    ///
    /// # Errors
    /// When the page or a host is not one.
    pub fn new(default: &str, hosts: &[String]) -> Result<Self, LandingError> {
        let hosts = hosts.iter().map(|host| host_name(host)).collect::<Result<_, _>>()?;
        Ok(Self { default: page(default)?, hosts })
    }

    /// The page of a link that leads to nobody: without parameters.
    pub const fn default_page(&self) -> &Url {
        &self.default
    }

    /// The page of a link: the one it names if it may, else its program's, else the default one.
    pub fn page_of(&self, program: Option<&str>, named: Option<&str>) -> Url {
        let named = named.and_then(|text| self.allowed(text));
        let programs = || program.and_then(|text| page(text).ok());
        named.or_else(programs).unwrap_or_else(|| self.default.clone())
    }

    /// An address that a query names, if its host is on the list.
    ///
    /// The host is looked at twice, in the text and as a browser understands it, and must be the same: so logins, ports,
    /// backslashes, escapes and letters that only look alike all fail without being known one by one.
    fn allowed(&self, text: &str) -> Option<Url> {
        let written = text.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
        let host = self.hosts.iter().find(|host| host.as_str() == written)?;
        let url = page(text).ok()?;
        (url.host_str() == Some(host) && url.port().is_none()).then_some(url)
    }
}

fn host_name(text: &str) -> Result<String, LandingError> {
    let host = text.trim().to_ascii_lowercase();
    let url = Url::parse(&format!("https://{host}/")).map_err(|_| LandingError::Host)?;
    if url.host_str() == Some(&host) && url.port().is_none() { Ok(host) } else { Err(LandingError::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landing() -> Landing {
        Landing::new("https://home.example/start", &["shop.example".to_owned()]).unwrap()
    }

    #[test]
    fn a_link_leads_only_where_it_may() {
        let to = |named| landing().page_of(Some("https://program.example/"), Some(named)).to_string();
        assert_eq!(to("https://shop.example/sale?x=1#top"), "https://shop.example/sale?x=1#top");
        assert_eq!(to("https://shop.example"), "https://shop.example/");
        for attack in [
            "",
            "/",
            "//evil.example",
            "///evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///shop.example/",
            "http://shop.example/",
            "HTTPS://shop.example/",
            " https://shop.example/",
            "https://evil.example/",
            "https://evil.example/shop.example",
            "https://evil.example?shop.example",
            "https://evil.example#shop.example",
            "https://shop.example.evil.example/",
            "https://evilshop.example/",
            "https://sub.shop.example/",
            "https://shop.example@evil.example/",
            "https://shop.example:pass@evil.example/",
            "https://user@shop.example/",
            "https://shop.example:8443/",
            "https://shop.example:443/",
            "https://shop.example./",
            "https://shop.example\\.evil.example/",
            "https://shop.example\\@evil.example/",
            "https:\\\\evil.example",
            "https://shop%2eexample/",
            "https://shop.example%2f@evil.example/",
            "https://shop.example/\r\nset-cookie: x=1",
            "https://shop.example/\n",
            "https://shop.example/\t",
            "https://shop.example\u{2024}evil.example/",
            "https://shoр.example/",
            "https://ѕhop.example/",
            "https://shop。example/",
            "javascript://shop.example/%0aalert(1)",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
        ] {
            assert_eq!(to(attack), "https://program.example/", "{attack:?}");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for bad in [
            "",
            "shop.example",
            "/welcome",
            "ftp://shop.example",
            "https://",
            "https://a:b@shop.example",
            "https://a b/",
        ] {
            assert_eq!(page(bad), Err(LandingError::Page), "{bad}");
        }
        assert!(Landing::new("https://home.example", &["https://shop.example".to_owned()]).is_err());
        assert!(Landing::new("https://home.example", &["shop.example:8443".to_owned()]).is_err());
        assert!(parameter("via").is_ok() && parameter("utm_source").is_err() && parameter("a=b").is_err());
    }

    #[test]
    fn parameters_are_added_once() {
        let url = page("https://shop.example/?a=1&ref=old").unwrap();
        let url = with_parameters(url, &[("ref", "ANN-1"), ("click_id", "x&y")]);
        assert_eq!(url.as_str(), "https://shop.example/?a=1&ref=ANN-1&click_id=x%26y");
    }
}
