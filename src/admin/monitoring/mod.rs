//! Health and metrics for a monitoring system, over plain HTTP on a listener of their own.
//!
//! | path | what it says |
//! |---|---|
//! | `/livez` | 200 while the process answers at all; where it does not, start it again |
//! | `/readyz` | 200 where keys can be made and released, by the same judgement as `GET /v1/readiness`; else 503 |
//! | `/metrics` | the metrics, in Prometheus' text form |
//!
//! Whoever reaches the listener may ask, so nothing here names a key, a client or an adapter, and no answer writes to the
//! custody log. What is counted as it happens is counted where it happens, by the crate `metrics`; what is a state is looked
//! up when it is asked for: [`state`].

mod catalogue;
mod server;
mod state;

pub use catalogue::metric_names;
pub use server::{MetricsListener, serve};
