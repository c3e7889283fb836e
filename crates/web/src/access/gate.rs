//! Lets a request in, or says why not.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use model::TokenRole;
use store::{TokenFound, TokenHash};

use super::{
    Caller, Connection,
    bearer::{Shown, is_same},
    client, host,
};
use crate::{exchange::RequestId, problem::Problem, state::State};

/// Asks who it is before anything else is looked at; also for what is not there.
pub(crate) async fn gate(
    axum::extract::State(state): axum::extract::State<State>,
    request: Request,
    next: Next,
) -> Response {
    let (mut asked, body) = request.into_parts();
    match admit(&state, &asked).await {
        Ok(caller) => {
            asked.extensions.insert(caller);
            next.run(Request::from_parts(asked, body)).await
        }
        Err(denied) => {
            let from = client(&asked, &state.access().trusted_proxies);
            let id = asked.extensions.get::<RequestId>();
            tracing::warn!(
                reason = denied.code(),
                status = denied.status().as_u16(),
                client.address = %from,
                http.method = %asked.method,
                http.path = asked.uri.path(),
                request.id = id.map(RequestId::as_str),
                "a request was denied"
            );
            denied.into_response()
        }
    }
}

/// Whether what somebody came in with would still be taken.
pub(crate) async fn is_still_taken(state: &State, caller: &Caller) -> bool {
    let Ok(found) = state.store().token(caller.prefix.as_deref()).await else {
        return false;
    };
    match (&caller.prefix, found.token) {
        (None, _) => !found.is_any_known,
        (Some(_), token) => token.is_some_and(|token| token.is_taken(state.now())),
    }
}

async fn admit(state: &State, asked: &Parts) -> Result<Caller, Problem> {
    let shown = Shown::by(&asked.headers);
    let prefix = match &shown {
        Shown::Token { prefix, .. } => Some(prefix.as_str()),
        Shown::Nothing | Shown::Else => None,
    };
    let found = state.store().token(prefix).await?;
    let caller = if found.is_any_known {
        by_token(state, asked, &shown, found)?
    } else {
        without_any_token(state, asked, &shown)?
    };
    if is_change(&asked.method) && caller.role < TokenRole::Operator {
        return Err(Problem::forbidden());
    }
    Ok(caller)
}

/// Before there is any token, this machine alone may read.
fn without_any_token(state: &State, asked: &Parts, shown: &Shown) -> Result<Caller, Problem> {
    let connection = asked.extensions.get::<Connection>();
    if !connection.is_some_and(|connection| connection.is_on_loopback) {
        return Err(unauthorized(
            "no-token-yet",
            "There is no token yet: make one with `scanner token create`.",
        ));
    }
    if !host::is_local(&asked.uri, &asked.headers) {
        return Err(Problem::misdirected());
    }
    if *shown != Shown::Nothing {
        return Err(failed(state, asked));
    }
    if is_change(&asked.method) {
        return Err(unauthorized(
            "token-needed",
            "A change needs the token of an operator: make one with `scanner token create NAME --role operator`.",
        ));
    }
    Ok(Caller::nameless())
}

fn by_token(
    state: &State,
    asked: &Parts,
    shown: &Shown,
    found: TokenFound,
) -> Result<Caller, Problem> {
    let hash = match shown {
        Shown::Nothing => {
            return Err(unauthorized(
                "token-needed",
                "Send a token as `Authorization: Bearer TOKEN`.",
            ));
        }
        Shown::Else => return Err(failed(state, asked)),
        Shown::Token { hash, .. } => hash,
    };
    // One that is not known costs the same comparison.
    let remembered = (found.token.as_ref()).map_or(TokenHash([0; 32]), |token| token.hash);
    let is_right = is_same(hash, &remembered);
    let (Some(token), true) = (found.token, is_right) else {
        return Err(failed(state, asked));
    };
    let now = state.now();
    if !token.is_taken(now) {
        let _ = failed(state, asked);
        let why = if token.revoked_at.is_some() {
            ("token-revoked", "This token was revoked.")
        } else {
            ("token-expired", "This token has expired.")
        };
        return Err(unauthorized(why.0, why.1));
    }
    state.last_uses().note(state.journal(), token.id, now);
    Ok(Caller {
        name: Some(token.name),
        role: token.role,
        prefix: Some(token.prefix),
    })
}

fn failed(state: &State, asked: &Parts) -> Problem {
    let from = client(asked, &state.access().trusted_proxies);
    match state.throttle().failed(from, state.now()) {
        Some(wait) => Problem::too_many(
            "too-many-attempts",
            "Too many attempts with a wrong token.",
            wait,
        ),
        None => unauthorized("token-unknown", "This is no token that is taken here."),
    }
}

fn unauthorized(code: &'static str, detail: &str) -> Problem {
    Problem::unauthorized(code, detail).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"scanner\""),
    )
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
