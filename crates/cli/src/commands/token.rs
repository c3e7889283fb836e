//! `scanner token`: who may use the API.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use jiff::{Span, Timestamp, tz::TimeZone};
use model::{Clock as _, SystemClock, TokenRole};
use report::tokens::{TokenLine, TokenState};
use store::{Journal, Store, TokenRow, TokenToAdd};
use web::FreshToken;

use crate::{
    config_file::{Expiry, TokenName},
    exit::{BadInput, Exit},
    output::{Destination, Format, say},
    settings::DEFAULT_STORE,
};

/// The flags of `scanner token`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and show it, this once. From the first one on, the API takes a token for everything but
    /// /healthz and /readyz.
    Create(Create),
    /// The tokens, without what is secret about them.
    List {
        /// The form of the list.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: At,
    },
    /// End a token at once. A service that runs notices with the next request.
    Revoke {
        /// The token: its name, or how it begins.
        #[arg(value_name = "NAME|PREFIX", required_unless_present = "forget")]
        which: Option<String>,
        /// Also drop the lines of all revoked tokens. When none is left, a service on loopback can be read
        /// without a token again.
        #[arg(long)]
        forget: bool,
        #[command(flatten)]
        store: At,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Whose it is, or what for.
    name: TokenName,
    /// What it allows: viewer reads, operator changes as well.
    #[arg(long)]
    role: TokenRole,
    /// When it ends: after a time such as 90d or 1y, or at a date such as 2027-01-31 [default: never].
    #[arg(long, value_name = "TIME")]
    expires: Option<Ends>,
    #[command(flatten)]
    store: At,
}

#[derive(Debug, Args)]
struct At {
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    store: PathBuf,
}

/// When something ends: after a time, or at one.
#[derive(Debug, Clone)]
enum Ends {
    After(Span),
    At(Timestamp),
}

impl FromStr for Ends {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(span) = text.parse::<Span>() {
            return if span.is_positive() {
                Ok(Self::After(span))
            } else {
                Err("expected a time that lies ahead, such as 90d".to_owned())
            };
        }
        text.parse::<Expiry>().map(|expiry| Self::At(expiry.0))
    }
}

impl Ends {
    fn from(&self, now: Timestamp) -> anyhow::Result<Timestamp> {
        let ends = match self {
            Self::After(span) => (now.to_zoned_datetime(TimeZone::UTC).checked_add(*span))
                .map_err(BadInput::of)?
                .timestamp(),
            Self::At(time) => *time,
        };
        if ends <= now {
            return Err(BadInput::of(format!(
                "the token would have expired already, at {ends:.0}\n  help: give a time in the future with --expires"
            )));
        }
        Ok(ends)
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::Create(create) => self::create(create).await,
        What::List { format, store } => list(&store, format).await,
        What::Revoke {
            which,
            forget,
            store,
        } => revoke(&store, which.as_deref(), forget).await,
    }
}

async fn create(options: Create) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let expires_at = (options.expires.as_ref())
        .map(|ends| ends.from(now))
        .transpose()?;
    let mut random = [0; 36];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("cannot have random numbers of this machine: {error}"))?;
    let fresh = FreshToken::of(&random);
    let token = TokenToAdd {
        name: options.name.0,
        role: options.role,
        prefix: fresh.prefix().to_owned(),
        hash: fresh.hash(),
        expires_at,
    };
    let journal = open(&options.store.store).await?;
    let added = journal.add_token(now, &token).await?;
    journal.close().await?;
    if !added {
        return Err(BadInput::of(format!(
            "there is a token named {name} already\n  help: take another name, or end that one with `scanner token revoke {name}`",
            name = token.name
        )));
    }
    Destination::Stdout.write(&format!("{}\n", fresh.reveal()))?;
    let until = expires_at.map_or_else(String::new, |time| format!(" until {time:.0}"));
    say(&format!(
        "{} may use the API as {}{until}; this is the only time that the token is shown",
        token.name, token.role
    ));
    Ok(Exit::Success)
}

/// Opens the store, and makes one where there is none: a service that others reach needs its token before its
/// first sweep. It is said, because a path that was mistyped makes one as well.
async fn open(path: &PathBuf) -> anyhow::Result<Journal> {
    match Store::open_journal(path).await {
        Err(store::Error::StoreMissing { .. }) => {
            Store::open_sweeper(path).await?.close().await?;
            say(&format!("made a new store at {}", path.display()));
            Ok(Store::open_journal(path).await?)
        }
        opened => Ok(opened?),
    }
}

async fn list(at: &At, format: Format) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let store = Store::open_reader(&at.store).await?;
    let tokens: Vec<TokenLine> = (store.tokens().await?.into_iter())
        .map(|token| line(token, now))
        .collect();
    store.close().await;
    let destination = Destination::Stdout;
    let text = match format {
        Format::Table => report::tokens::render(&tokens, &destination.look(true)),
        Format::Json => report::tokens::render_json(&tokens),
    };
    destination.write(&text)?;
    Ok(Exit::Success)
}

fn line(token: TokenRow, now: Timestamp) -> TokenLine {
    let state = match token.revoked_at {
        Some(_) => TokenState::Revoked,
        None if token.has_expired(now) => TokenState::Expired,
        None => TokenState::InForce,
    };
    TokenLine {
        name: token.name,
        role: token.role,
        prefix: token.prefix,
        state,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    }
}

async fn revoke(at: &At, which: Option<&str>, forget: bool) -> anyhow::Result<Exit> {
    let journal = Store::open_journal(&at.store).await?;
    let mut said = Vec::new();
    if let Some(which) = which {
        let revoked = journal.revoke_token(SystemClock.now(), which).await?;
        let Some(token) = revoked else {
            let path = at.store.display();
            return Err(BadInput::of(format!(
                "there is no token {} in {path} that could be revoked\n  help: `scanner token list --store {path}` names them",
                which.escape_debug()
            )));
        };
        said.push(format!(
            "{} ({}…) is no longer taken",
            token.name, token.prefix
        ));
    }
    if forget {
        let gone = journal.forget_revoked_tokens().await?;
        said.push(format!("{gone} revoked tokens are forgotten"));
    }
    journal.close().await?;
    say(&said.join("; "));
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_after_a_time_or_at_one_and_always_later() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let rows = [
            ("90d", Some("2027-02-22T12:00:00Z")),
            ("1y", Some("2027-11-24T12:00:00Z")),
            ("12h", Some("2026-11-25T00:00:00Z")),
            ("2027-01-31", Some("2027-01-31T00:00:00Z")),
            ("2027-01-31T01:02:03+01:00", Some("2027-01-31T00:02:03Z")),
            ("2026-11-24", None),
            ("-90d", None),
            ("90d ago", None),
            ("0d", None),
            ("soon", None),
            ("", None),
            ("99999y", None),
        ];
        for (text, expected) in rows {
            let ends = text
                .parse::<Ends>()
                .ok()
                .and_then(|ends| ends.from(now).ok());
            let expected = expected.map(|time| time.parse::<Timestamp>().unwrap());
            assert_eq!(ends, expected, "{text}");
        }
    }
}
