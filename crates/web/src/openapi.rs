//! The description of the API, made from the handlers: OpenAPI 3.1, and a page for people.

mod html;

use axum::{
    Extension,
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use utoipa::{
    OpenApi as _,
    openapi::{
        ContentBuilder, OpenApi, Ref, RefOr, Response as Described, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{answer::tagged_by_body, problem, router, shapes};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Compliance scanner",
        description = "What sweeps of an AWS organization saw, now or as of any moment, and what the service does. \
Lists are answered in parts: send `next_cursor` back as `cursor`, with the same filters, until it is null; all parts are \
as of one moment. Answers carry an `ETag`: send it back as `If-None-Match`, and an unchanged answer is a 304. What goes \
wrong is told as `application/problem+json`."
    ),
    components(schemas(shapes::Problem)),
    security(("token" = [])),
    tags(
        (name = "history", description = "What sweeps saw."),
        (name = "drifts", description = "What was not as it was."),
        (name = "alerts", description = "What people were told, and what did not reach them."),
        (name = "sweeps", description = "The sweeps, and the service that runs them."),
        (name = "exceptions", description = "What somebody accepts, and until when."),
        (name = "catalogue", description = "What is judged by."),
        (name = "operation", description = "How the service is, and its configuration."),
    )
)]
struct Outline;

/// The description without its routes.
pub(crate) fn outline() -> OpenApi {
    Outline::openapi()
}

/// What any request may be answered with, and why.
const ALWAYS: [(&str, &str); 10] = [
    ("400", "Something in the request cannot be meant."),
    ("401", "No token, or none that is taken."),
    ("403", "The token of a viewer, and a change."),
    ("404", "There is no such thing."),
    ("421", "No token, and another Host than this machine's."),
    (
        "429",
        "Too many failed attempts, or too many requests wait.",
    ),
    ("431", "The head of the request is too large."),
    ("500", "Something went wrong here."),
    (
        "503",
        "Not now: the service is stopping, or too many listen.",
    ),
    ("504", "It took too long."),
];

/// What a request for the past may be answered with.
const OF_THE_PAST: [(&str, &str); 2] = [
    (
        "409",
        "What is named has not ended yet, or cannot be changed here.",
    ),
    ("410", "What was so then was dropped."),
];

/// What a request with a body may be answered with.
const WITH_BODY: [(&str, &str); 4] = [
    ("409", "It stands in the configuration, and not here."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON."),
    ("422", "The body says what cannot be done."),
];

/// Adds what is the same everywhere: how to come in, and what may go wrong.
pub(crate) fn complete(described: &mut OpenApi) {
    env!("CARGO_PKG_VERSION").clone_into(&mut described.info.version);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of `scanner token create`."))
        .build();
    let components = described.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for (path, item) in &mut described.paths.paths {
        let is_health = path.ends_with('z');
        for (method, operation) in [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
        ] {
            let Some(operation) = operation else { continue };
            let is_read = method == "get";
            operation.operation_id = Some(name(method, path));
            if is_health {
                add(operation, &ALWAYS[7..8]);
                continue;
            }
            add(operation, &ALWAYS);
            add(
                operation,
                if is_read {
                    &OF_THE_PAST[..]
                } else {
                    &WITH_BODY[..]
                },
            );
            if is_read {
                let unchanged = ResponseBuilder::new()
                    .description("It still is as the `If-None-Match` of the request has it.")
                    .build();
                put(operation, "304", unchanged);
            }
        }
    }
}

/// `get_accounts_account` for `GET /api/v1/accounts/{account}`.
fn name(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{method}_{}", words.join("_"))
}

fn add(operation: &mut Operation, answers: &[(&str, &str)]) {
    for (status, why) in answers {
        let shape = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new()
            .schema(Some(RefOr::Ref(shape)))
            .build();
        let problem = ResponseBuilder::new()
            .description(*why)
            .content(problem::MEDIA_TYPE, content)
            .build();
        put(operation, status, problem);
    }
}

fn put(operation: &mut Operation, status: &str, described: Described) {
    let answers = &mut operation.responses.responses;
    answers
        .entry(status.to_owned())
        .or_insert(RefOr::T(described));
}

/// The description in JSON.
pub fn document() -> String {
    serde_json::to_string_pretty(&router::described()).unwrap_or_default()
}

/// The description as a page that loads nothing.
pub fn page() -> String {
    html::render(&serde_json::to_value(router::described()).unwrap_or_default())
}

/// Both, made once.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    json: axum::body::Bytes,
    html: axum::body::Bytes,
}

impl Description {
    pub(crate) fn of(described: &OpenApi) -> Self {
        let value = serde_json::to_value(described).unwrap_or_default();
        Self {
            json: value.to_string().into(),
            html: html::render(&value).into(),
        }
    }
}

/// This description, as OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "catalogue",
    responses((status = 200, description = "The description.", body = serde_json::Value))
)]
pub(crate) async fn json(
    headers: HeaderMap,
    Extension(description): Extension<Description>,
) -> Response {
    tagged_by_body(&headers, description.json.to_vec())
}

/// This description as a page, which needs neither scripts nor the internet.
#[utoipa::path(
    get, path = "/api/v1/docs", tag = "catalogue",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"))
)]
pub(crate) async fn html(Extension(description): Extension<Description>) -> Response {
    let mut response = Response::new(Body::from(description.html));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if let Ok(policy) = HeaderValue::from_str(&html::policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
