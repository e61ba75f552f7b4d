//! What the routes of all providers have in common: who calls, whether the call may be made, its being counted, the gate,
//! and errors. In which words a provider says it is in its [`Manners`].

pub(crate) mod count;
pub(crate) mod data;
pub(crate) mod gate;
pub(crate) mod keys;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod request;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use jiff::Timestamp;
use serde_json::Value;

use self::problem::Problem;
use crate::providers::Provider;
use crate::service::{Caller, Service};

/// Requests larger than this are refused: the largest that makes sense is a tenth of it.
const LARGEST_BODY: usize = 64 * 1024;

/// What every route needs: the engine, the clock and randomness.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) service: Service,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) random: fn(&mut [u8]),
}

/// What one provider's HTTP does in its own way.
pub(crate) struct Manners {
    pub(crate) provider: Provider,
    /// Where the routes begin; nothing for the root.
    pub(crate) base: &'static str,
    /// The key that a request carries.
    pub(crate) presented: fn(&HeaderMap) -> Option<&str>,
    /// How a client that is not known is told to make itself known: `Bearer`.
    pub(crate) challenge: &'static str,
    /// The status and the body of a refusal, given the request's id.
    pub(crate) say: fn(&Problem, &str) -> (StatusCode, Value),
    /// Templates of the routes that stand behind the gate.
    pub(crate) data: &'static [&'static str],
    /// Templates of the routes that anybody may ask.
    pub(crate) open: &'static [&'static str],
}

macro_rules! mount {
    ($($(#[doc = $about:literal])* $name:ident = $room:ident,)*) => {
        /// The routes of every provider: those of `keys serve` itself at the root, any other's below its name.
        pub(crate) fn of_all(context: &Context) -> Router {
            Router::new()$(.merge(placed(Provider::$name, crate::providers::$room::routes::routes(context.clone()))))*
        }
    };
}

each_provider!(mount);

fn placed(provider: Provider, routes: Router) -> Router {
    match provider {
        Provider::Native => routes,
        other => Router::new().nest(&format!("/{}", other.rules().name), routes),
    }
}

/// What stands around every route of a provider.
#[derive(Clone)]
struct Counter {
    context: Context,
    manners: &'static Manners,
}

/// Puts around a provider's routes what comes before and after each of them.
pub(crate) fn dress(routes: Router<Context>, context: Context, manners: &'static Manners) -> Router {
    let counter = Counter { context: context.clone(), manners };
    routes
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(counter.clone(), count::count))
        .layer(middleware::from_fn_with_state(counter, problem::finish))
        .with_state(context)
}

/// Routes for use within this process, by a caller who needs to present no key.
pub(crate) fn for_caller(routes: Router, caller: Caller) -> Router {
    routes.layer(axum::Extension(count::Embedded(caller)))
}
