//! Where the service and IAM are.

use reqwest::Url;

use super::Error;

/// Behind the host in every URL of the service.
const API: &str = "/api/v2";
/// Behind the host in IAM's URL.
const TOKEN: &str = "/identity/token";

/// The root of the service's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(Url);

impl Address {
    /// Fails with [`Error::Configuration`] for what is no URL, has no TLS and is not on this machine, or has a query or a
    /// password in it.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut url = parse("url", text)?;
        let path = url.path().trim_end_matches('/').to_owned();
        if path.ends_with(API) {
            url.set_path(&path);
        } else {
            url.set_path(&format!("{path}{API}"));
        }
        Ok(Self(url))
    }

    /// The URL of what these segments lead to. Each is one segment, whatever is in it.
    pub(super) fn at(&self, segments: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("the URL has a host, so it has a path")
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// What is there, by its host: both services have the same API.
    pub(super) fn product(&self) -> &'static str {
        let host = self.0.host_str().unwrap_or_default();
        if host.contains(".hs-crypto.") {
            "Hyper Protect Crypto Services"
        } else {
            "Key Protect"
        }
    }
}

/// IAM's URL.
pub(super) fn iam(text: &str) -> Result<Url, Error> {
    let mut url = parse("iam_url", text)?;
    if url.path() == "/" {
        url.set_path(TOKEN);
    }
    Ok(url)
}

fn parse(what: &'static str, text: &str) -> Result<Url, Error> {
    let refused = |reason: String| Error::Configuration { what, reason };
    let url = Url::parse(text).map_err(|error| refused(format!("{text} is no URL: {error}")))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(host) => {}
        "http" => return Err(refused(format!("{text} has no TLS: use https"))),
        other => return Err(refused(format!("{other} can't be used: use https"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it has a name or a password in it".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused(format!("{text} has something behind its path")));
    }
    Ok(url)
}

/// Nothing leaves the machine on the way to it, so there it may be without TLS.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> String {
        Address::parse(url).unwrap().at(&["keys"], &[]).to_string()
    }

    #[test]
    fn the_api_is_found_whether_or_not_its_path_was_given() {
        let keys = "https://eu-de.kms.cloud.ibm.com/api/v2/keys";
        for url in [
            "https://eu-de.kms.cloud.ibm.com",
            "https://eu-de.kms.cloud.ibm.com/",
            "https://eu-de.kms.cloud.ibm.com/api/v2",
            "https://eu-de.kms.cloud.ibm.com/api/v2/",
        ] {
            assert_eq!(at(url), keys);
        }
        let older = "https://api.private.eu-de.hs-crypto.cloud.ibm.com:8123";
        assert_eq!(at(older), format!("{older}/api/v2/keys"));
        let token = "https://iam.cloud.ibm.com/identity/token";
        assert_eq!(iam("https://iam.cloud.ibm.com").unwrap().as_str(), token);
        assert_eq!(iam(token).unwrap().as_str(), token);
    }

    #[test]
    fn a_key_never_goes_over_a_network_without_tls() {
        for url in [
            "http://eu-de.kms.cloud.ibm.com",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "eu-de.kms.cloud.ibm.com",
            "https://user:password@kms.example",
            "https://kms.example/?a=b",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
            assert!(iam(url).is_err(), "{url}");
        }
        assert!(Address::parse("http://127.0.0.1:8080").is_ok());
        assert!(Address::parse("http://[::1]:8080").is_ok());
    }

    #[test]
    fn an_alias_can_lead_to_nothing_but_a_key() {
        let address = Address::parse("https://kms.example").unwrap();
        let url = address.at(
            &["keys", "../a/b?c", "actions", "wrap"],
            &[("state", "1,5".into())],
        );
        assert_eq!(
            url.as_str(),
            "https://kms.example/api/v2/keys/..%2Fa%2Fb%3Fc/actions/wrap?state=1%2C5"
        );
    }

    #[test]
    fn an_operator_reads_which_of_the_two_services_it_is() {
        let hpcs = Address::parse("https://one.api.eu-de.hs-crypto.appdomain.cloud").unwrap();
        assert_eq!(hpcs.product(), "Hyper Protect Crypto Services");
        let key_protect = Address::parse("https://private.eu-de.kms.cloud.ibm.com").unwrap();
        assert_eq!(key_protect.product(), "Key Protect");
    }
}
