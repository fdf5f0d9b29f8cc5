//! Addresses in the configuration: the platform's and the mail server's. Errors name no address
//! that may carry a secret.

use std::net::IpAddr;

use url::Url;

use super::settings::SmtpTls;

/// Submission with STARTTLS, RFC 6409.
const SUBMISSION_PORT: u16 = 587;
/// Submission over TLS, RFC 8314.
const SUBMISSIONS_PORT: u16 = 465;
/// Plain SMTP between servers; what a relay on the same machine listens on.
const RELAY_PORT: u16 = 25;

/// The platform's test host, whose address has a name of its own in the configuration.
const TEST_HOST: &str = "mapi.test.etcp.cn";

/// A mail server's address without its password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SmtpAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: SmtpTls,
    pub(super) user: Option<String>,
}

/// The platform's address: scheme, host, perhaps a path; no slash at the end.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|err| format!("not an address: {err}"))?;
    let host = url.host_str().unwrap_or_default();
    if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
        return Err("not an address that begins with https:// and a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user or password in it".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address with `?` or `#` in it".to_owned());
    }
    if url.path().contains("/openapi") {
        return Err("the address of one interface; leave out what begins with /merchant/open".to_owned());
    }
    if url.scheme() == "http" && host == TEST_HOST {
        return Err("the platform's test address; write environment = \"test\" instead of base_url".to_owned());
    }
    if url.scheme() == "http" && !is_loopback(host) {
        return Err(
            "plain http is for this machine only: requests carry tokens, and one that is overheard can be repeated"
                .to_owned(),
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An address that is told of finished runs.
pub(super) fn ping_url(text: &str) -> Result<(), &'static str> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err("not an address that begins with https:// and a host"),
    }
}

/// A mail server: `smtps://user@host:465` or `smtp://host:587?tls=required|opportunistic|none`.
pub(super) fn smtp(text: &str) -> Result<SmtpAddress, String> {
    let url = Url::parse(text).map_err(|err| format!("not an address: {err}"))?;
    if url.password().is_some() {
        return Err("a password stands in the address; give it as `password_file` or `password`".to_owned());
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    if host.is_empty() || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("not an address of the form smtps://user@host:465".to_owned());
    }
    let tls = match (url.scheme(), url.query()) {
        ("smtps", None) => SmtpTls::Implicit,
        ("smtp", None | Some("tls=required")) => SmtpTls::Required,
        ("smtp", Some("tls=opportunistic")) => SmtpTls::Opportunistic,
        ("smtp", Some("tls=none")) => SmtpTls::None,
        ("smtps", Some(_)) => return Err("smtps:// takes nothing after `?`".to_owned()),
        ("smtp", Some(_)) => {
            return Err("after `?` only tls=required, tls=opportunistic or tls=none may stand".to_owned());
        }
        (scheme, _) => return Err(format!("`{scheme}://` is neither smtps:// nor smtp://")),
    };
    if tls == SmtpTls::None && !is_loopback(&host) {
        return Err("tls=none is for this machine only (localhost, 127.0.0.1, [::1])".to_owned());
    }
    let port = url.port().unwrap_or(match tls {
        SmtpTls::Implicit => SUBMISSIONS_PORT,
        SmtpTls::Required | SmtpTls::Opportunistic => SUBMISSION_PORT,
        SmtpTls::None => RELAY_PORT,
    });
    let user = decoded(url.username())?;
    Ok(SmtpAddress { host, port, tls, user: (!user.is_empty()).then_some(user) })
}

fn is_loopback(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// `ops%40example.com` → `ops@example.com`.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = [rest.next(), rest.next()].into_iter().flatten().collect::<Vec<u8>>();
        let decoded = hex::decode(&pair).ok().filter(|decoded| decoded.len() == 1);
        bytes.extend(decoded.ok_or("the user has a `%` that is no %-escape")?);
    }
    String::from_utf8(bytes).map_err(|_| "the user is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_address_is_encrypted_or_on_this_machine() {
        for (text, expected) in [
            ("https://mapi.etcp.cn", "https://mapi.etcp.cn"),
            ("https://gateway.example:8443/etcp/", "https://gateway.example:8443/etcp"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "mapi.etcp.cn",
            "http://mapi.etcp.cn",
            "http://mapi.test.etcp.cn",
            "http://127.0.0.1.example.com",
            "ftp://mapi.etcp.cn",
            "https://user:pw@mapi.etcp.cn",
            "https://mapi.etcp.cn?x=1",
            "https://mapi.etcp.cn/#a",
            "https://mapi.etcp.cn/merchant/open/1.0.0/openapi",
            "localhost:8080",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_mail_servers_address_is_read() {
        let address = |host: &str, port, tls, user: Option<&str>| SmtpAddress {
            host: host.into(),
            port,
            tls,
            user: user.map(Into::into),
        };
        for (text, expected) in [
            ("smtps://bot@smtp.example.com:465", address("smtp.example.com", 465, SmtpTls::Implicit, Some("bot"))),
            ("smtps://smtp.example.com", address("smtp.example.com", 465, SmtpTls::Implicit, None)),
            (
                "smtps://bot%40example.com@smtp.example.com",
                address("smtp.example.com", 465, SmtpTls::Implicit, Some("bot@example.com")),
            ),
            (
                "smtps://bot@example.com@smtp.example.com",
                address("smtp.example.com", 465, SmtpTls::Implicit, Some("bot@example.com")),
            ),
            ("smtp://h", address("h", 587, SmtpTls::Required, None)),
            ("smtp://h:2525?tls=required", address("h", 2525, SmtpTls::Required, None)),
            ("smtp://h:587?tls=opportunistic", address("h", 587, SmtpTls::Opportunistic, None)),
            ("smtp://127.0.0.1?tls=none", address("127.0.0.1", 25, SmtpTls::None, None)),
            ("smtp://[::1]:1025?tls=none", address("::1", 1025, SmtpTls::None, None)),
        ] {
            assert_eq!(smtp(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_mail_servers_address_that_is_unsafe_or_unclear_is_refused_without_being_shown() {
        for text in [
            "smtps://bot:hunter2@h:465",
            "smtp://hunter2.example?tls=none",
            "smtp://hunter2?tls=off",
            "smtps://hunter2?tls=none",
            "http://hunter2",
            "hunter2",
            "smtp://",
            "smtp://hunter2/inbox",
            "smtp://a%zz@h",
        ] {
            let err = smtp(text).unwrap_err();
            assert!(!err.contains("hunter2"), "{err}");
        }
    }
}
