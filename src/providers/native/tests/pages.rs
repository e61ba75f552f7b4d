//! Lists of several pages, from a server that says of each what a test wants.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::Uri;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use super::client::{all, over_tcp};
use crate::http::HttpError;
use crate::model::filter::{Filter, Sort};
use crate::model::key::Key;
use crate::providers::client::Client;
use crate::testing::block_on;

const SECRET: &str = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");

/// Pages by their number, and which were asked for.
struct Book {
    client: Client,
    asked: Arc<Mutex<Vec<u64>>>,
}

impl Book {
    /// `page` makes a page of its number.
    async fn of<P: Future<Output = Value> + Send + 'static>(
        page: impl Fn(u64) -> P + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let router = Router::new().fallback(move |uri: Uri| {
            let query = uri.query().unwrap_or_default().to_owned();
            let number = query.split('&').find_map(|part| part.strip_prefix("page=")).unwrap().parse().unwrap();
            seen.lock().unwrap().push(number);
            let page = page(number);
            async move { page.await.to_string().into_response() }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { client: over_tcp(&format!("http://{address}"), SECRET), asked }
    }

    async fn read(&self) -> Result<Vec<Key>, HttpError> {
        all(&self.client, &Filter::default(), "name").await
    }

    fn asked(&self) -> Vec<u64> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort_unstable();
        asked
    }
}

/// The page of this number: so many keys, of so many in all, a hundred to a page.
fn page(number: u64, count: u64, total: u64) -> Value {
    let keys: Vec<Value> = (0..count).map(|key| json!({ "id": format!("key_{number}_{key}") })).collect();
    json!({ "data": keys, "meta": { "page": number, "per_page": 100, "total": total } })
}

fn ids(keys: &[Key]) -> Vec<&str> {
    keys.iter().map(|key| key.id.as_str()).collect()
}

#[test]
fn pages_are_fetched_ahead_and_given_in_order() {
    block_on(async {
        // None of the four is answered before all four are asked for, and then the last comes first.
        let four = Arc::new(Barrier::new(4));
        let book = Book::of(move |number| {
            let four = Arc::clone(&four);
            async move {
                if (2..=5).contains(&number) {
                    four.wait().await;
                    for _ in number..5 {
                        tokio::task::yield_now().await;
                    }
                }
                page(number, 100, 500)
            }
        })
        .await;
        let keys = book.read().await.unwrap();
        let expected: Vec<String> = (0..500).map(|key| format!("key_{}_{}", key / 100 + 1, key % 100)).collect();
        assert_eq!(ids(&keys), expected);
        assert_eq!(book.asked(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn who_wants_the_first_page_alone_asks_for_no_other() {
    block_on(async {
        let book = Book::of(|number| async move { page(number, 100, 1_000) }).await;
        let filter = Filter::default();
        let mut pages = book.client.list(&filter, Sort::parse("name").unwrap());
        assert_eq!(pages.next().await.unwrap().unwrap().len(), 100);
        drop(pages);
        assert_eq!(book.asked(), [1]);
    });
}

#[test]
fn a_total_that_changes_on_the_way_is_followed() {
    block_on(async {
        let grows =
            Book::of(|number| async move { page(number, if number < 4 { 100 } else { 7 }, 100 + 100 * number) });
        let grows = grows.await;
        assert_eq!(grows.read().await.unwrap().len(), 307);
        assert_eq!(grows.asked(), [1, 2, 3, 4]);
        let shrinks = Book::of(|number| async move {
            let total = if number == 1 { 1_000 } else { 250 };
            page(number, [100, 100, 50].get(usize::try_from(number).unwrap() - 1).copied().unwrap_or(0), total)
        });
        let shrinks = shrinks.await;
        assert_eq!(shrinks.read().await.unwrap().len(), 250);
        assert!(shrinks.asked().starts_with(&[1, 2, 3]), "{:?}", shrinks.asked());
        let empties = Book::of(|number| async move { page(number, if number < 3 { 100 } else { 0 }, 100_000) }).await;
        assert_eq!(empties.read().await.unwrap().len(), 200);
    });
}

#[test]
fn pages_that_repeat_are_not_read_for_ever() {
    block_on(async {
        let book = Book::of(|_| async move { page(1, 100, 100_000) }).await;
        let error = book.read().await.err().unwrap();
        assert!(error.to_string().ends_with("its pages repeat"), "{error}");
    });
}

#[test]
fn a_page_in_the_middle_that_is_none_ends_the_list_with_its_error() {
    block_on(async {
        let book = Book::of(|number| async move { if number == 3 { json!({}) } else { page(number, 100, 600) } }).await;
        let filter = Filter::default();
        let mut pages = book.client.list(&filter, Sort::parse("name").unwrap());
        for _ in 0..2 {
            assert_eq!(pages.next().await.unwrap().unwrap().len(), 100);
        }
        assert!(matches!(pages.next().await, Err(HttpError::Unreadable { .. })));
    });
}

#[test]
fn a_service_that_gives_smaller_pages_is_read_to_its_end() {
    block_on(async {
        let book = Book::of(|number| async move {
            let keys: Vec<Value> =
                (0..if number == 3 { 10 } else { 25 }).map(|key| json!({ "id": format!("{number}_{key}") })).collect();
            json!({ "data": keys, "meta": { "page": number, "per_page": 25, "total": 60 } })
        })
        .await;
        assert_eq!(book.read().await.unwrap().len(), 60, "`meta` says that there are more");
    });
}
