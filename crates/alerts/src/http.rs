//! The one HTTP client of all channels.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};

use crate::{
    Outcome, Secret,
    outcome::{excerpt, retry_after},
    secret::quoted,
};

const CONNECT: Duration = Duration::from_secs(5);

/// For a request as a whole, its answer included.
const DEADLINE: Duration = Duration::from_secs(20);

/// No more than this is read of an answer.
const ANSWER: usize = 2048;

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for alerts cannot be set up")]
pub struct HttpSetupError(#[source] reqwest::Error);

/// The HTTP client: cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpClient(Client);

/// What is posted.
pub(crate) struct Post<'a> {
    pub(crate) url: &'a str,
    pub(crate) body: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What must not show in what is said of a failure.
    pub(crate) secrets: Vec<&'a Secret>,
    pub(crate) now: Timestamp,
}

impl HttpClient {
    /// A client that follows no redirect, which would carry a secret elsewhere, and goes through the proxy
    /// that the environment names.
    pub fn new() -> Result<Self, HttpSetupError> {
        let client = Client::builder()
            .user_agent(concat!("org-change-scanner/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(DEADLINE)
            .redirect(Policy::none())
            .referer(false)
            .build();
        client.map(Self).map_err(HttpSetupError)
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, post: Post<'_>) -> Outcome {
        let mut request = (self.0.post(post.url))
            .header(header::CONTENT_TYPE, "application/json")
            .body(post.body);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let cut_out = |text: &str| quoted(text, &post.secrets);
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let wait = (response.headers().get(header::RETRY_AFTER))
                    .and_then(|wait| retry_after(wait.to_str().ok()?, post.now));
                let said = if status.is_success() {
                    String::new()
                } else {
                    // Cut out before it is shortened: half a secret is one too.
                    excerpt(&cut_out(&beginning(response).await))
                };
                of_status(status, &said, wait)
            }
            // A URL may be a secret.
            Err(error) => of_error(&error.without_url(), cut_out),
        }
    }
}

/// Says what is wrong with a URL, without showing it: it may be a secret.
///
/// It has to be https, so that nobody listens; http only to this machine, or where that is allowed.
pub fn check_url(url: &str, allow_http: bool) -> Result<(), &'static str> {
    let url = reqwest::Url::parse(url).map_err(|_| "it is not a URL")?;
    let host = url.host_str().ok_or("it names no host")?;
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here || allow_http => Ok(()),
        "http" => Err("expected https: http is for a receiver on this machine only"),
        _ => Err("expected https"),
    }
}

/// What can be mended by waiting is tried again; a redirect or a refusal needs somebody's hand.
fn of_status(status: StatusCode, said: &str, wait: Option<Duration>) -> Outcome {
    if status.is_success() {
        return Outcome::Delivered;
    }
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    if passes {
        return Outcome::TryAgain {
            why: format!("the receiver answered {status}{said}"),
            after: wait,
        };
    }
    let hint = if status.is_redirection() {
        "; redirects are not followed, name the final URL"
    } else {
        ""
    };
    Outcome::dead(format!("the receiver refused it with {status}{said}{hint}"))
}

fn of_error(error: &reqwest::Error, cut_out: impl Fn(&str) -> String) -> Outcome {
    let what = if error.is_timeout() {
        "the receiver did not answer in time"
    } else if error.is_connect() {
        "the receiver cannot be reached"
    } else if error.is_builder() {
        return Outcome::dead("the request cannot be made: look at the channel's URL");
    } else {
        "the connection to the receiver broke"
    };
    let mut source = std::error::Error::source(error);
    let mut cause = String::new();
    while let Some(error) = source {
        cause = error.to_string();
        source = error.source();
    }
    if cause.is_empty() {
        Outcome::try_again(what)
    } else {
        Outcome::try_again(format!("{what}: {}", excerpt(&cut_out(&cause))))
    }
}

/// The beginning of an answer; what cannot be read of it is left out.
async fn beginning(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < ANSWER
        && let Ok(Some(piece)) = response.chunk().await
    {
        read.extend_from_slice(&piece);
    }
    read.truncate(ANSWER);
    String::from_utf8_lossy(&read).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_on_the_way() {
        for url in [
            "https://example.com/x",
            "http://127.0.0.1:8080/",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert_eq!(check_url(url, false), Ok(()), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "ftp://x/",
            "x",
            "",
            "file:///etc",
        ] {
            check_url(url, false).unwrap_err();
        }
        assert_eq!(check_url("http://receiver:8080/", true), Ok(()));
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_dead() {
        for code in [200, 202, 204] {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(of_status(status, "", None), Outcome::Delivered, "{code}");
        }
        for code in [408, 425, 429, 500, 502, 503, 504] {
            let status = StatusCode::from_u16(code).unwrap();
            let wait = Some(Duration::from_secs(7));
            let outcome = of_status(status, "x", wait);
            assert!(
                matches!(outcome, Outcome::TryAgain { after, .. } if after == wait),
                "{code}"
            );
        }
        for code in [301, 302, 307, 400, 401, 403, 404, 410, 413, 422] {
            let status = StatusCode::from_u16(code).unwrap();
            let outcome = of_status(status, "no such hook", None);
            assert!(matches!(outcome, Outcome::Dead { .. }), "{code}");
        }
    }
}
