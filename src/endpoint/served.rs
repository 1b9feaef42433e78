//! The records of the certificates that the server shows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::refusal::ShownCertificate;
use super::telling::RefusalRecorder;

/// After so long it is tried again to record what could not be recorded.
const AGAIN: Duration = Duration::from_secs(1);

/// Records each certificate that takes the place of the one that is shown, until `stop`. The clients are shown it whether it is
/// recorded or not: it releases no key.
pub(super) async fn record(
    mut shown: watch::Receiver<Vec<u8>>,
    recorder: Arc<dyn RefusalRecorder>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = shown.changed() => if changed.is_err() { return },
        }
        let certificate = ShownCertificate::of_der(&shown.borrow_and_update());
        while !recorder.certificate_shown(&certificate).await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}
