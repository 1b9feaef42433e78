//! How long requests may take.

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::any;
use hyper::service::Service as _;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_comparison_with_a_long_log_is_not_given_up_after_two_minutes() {
    for (path, status) in [
        ("/v1/custody/bundle", StatusCode::OK),
        ("/v1/custody/comparison", StatusCode::OK),
        ("/v1/backups", StatusCode::OK),
        ("/v1/status", StatusCode::GATEWAY_TIMEOUT),
    ] {
        let slow = any(async || tokio::time::sleep(Duration::from_mins(10)).await);
        let request = Request::post(path).body(Body::empty()).expect("a request");
        let routes = guarded(Router::new().route(path, slow));
        let answer = TowerToHyperService::new(routes).call(request).await;
        assert_eq!(answer.expect("an answer").status(), status, "{path}");
    }
}
