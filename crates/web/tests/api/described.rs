//! The description: made from the code, whole, and readable without the internet.

use serde_json::Value;

use crate::server::Server;

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.push(reference.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_refers_to_nothing_that_is_not_there() {
    let server = Server::of(1).await;
    let described = server.get("/api/v1/openapi.json").await.json();
    assert!(
        described["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        described["openapi"]
    );
    let mut found = Vec::new();
    references(&described, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(described.pointer(pointer).is_some(), "{reference}");
    }
    let mut operations = std::collections::BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                operation["summary"].is_string(),
                "{method} {path} says nothing of itself"
            );
            assert!(
                operations.insert(operation["operationId"].to_string()),
                "{method} {path}"
            );
        }
    }
    assert_eq!(
        described,
        serde_json::from_str::<Value>(&web::document()).unwrap()
    );
    server.end().await;
}

#[tokio::test]
async fn the_page_loads_nothing() {
    let server = Server::of(1).await;
    let page = server.get("/api/v1/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.text(), web::page());
    server.end().await;
}
