//! The seam between the endpoint and what answers: bytes of a request in, bytes of its response out.

use std::sync::Arc;

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;

use crate::adapter::Caller;
use crate::kmip::output::Output;
use crate::kmip::ttlv::DecodeError;
use crate::operation::{self, Disposition, Services};

/// Who answers the requests of known clients.
#[async_trait]
pub trait Answer: Send + Sync {
    /// Writes the response to `request`, a whole message or the beginning of one that can't be followed, into `out`,
    /// which is empty. It answers everything, errors too; where it writes nothing, the connection is closed.
    async fn answer(&self, caller: &Caller, request: &[u8], out: &mut (dyn Output + Send)) -> Disposition;

    /// Writes the response to a request that came in another encoding and could not be turned into the binary form, of
    /// which `begun` is as much as could be.
    async fn refuse(&self, caller: &Caller, begun: &[u8], error: &DecodeError, out: &mut (dyn Output + Send));
}

#[async_trait]
impl Answer for Arc<Services> {
    async fn answer(&self, caller: &Caller, request: &[u8], out: &mut (dyn Output + Send)) -> Disposition {
        operation::answer(self, caller, request, out).await
    }

    async fn refuse(
        &self,
        caller: &Caller,
        begun: &[u8],
        error: &DecodeError,
        out: &mut (dyn Output + Send),
    ) {
        operation::refuse_unreadable(self, caller, begun, error, out).await;
    }
}

impl Output for LockedBuffer {
    fn len(&self) -> usize {
        self.len()
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        self.as_mut_slice()
    }

    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn append_zeroed(&mut self, count: usize) {
        self.resize_zeroed(self.len() + count);
    }

    fn truncate(&mut self, length: usize) {
        self.resize_zeroed(length.min(self.len()));
    }
}
