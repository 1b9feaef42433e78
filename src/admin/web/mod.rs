//! The interface over HTTPS: the auditor's pages and the resources of the socket, for client certificates and access tokens.
//!
//! # Who is let in
//!
//! The certificates in the files and folders of `admin.web.auditors`, `operators` and `administrators`, each pinned by the
//! SHA-256 of its DER, in TLS 1.3. The files are read again before a connection and a request are judged, so a certificate that
//! is taken out is shut out at once. What each role may do is in [`permission`](super::permission).
//!
//! Where `admin.web.tokens` is on, also who shows an access token (`Authorization: Bearer …`) and no certificate. Of a token the
//! store has the SHA-256 alone, under a seal; each request looks it up, so a token that is revoked is shut out at once, on each
//! node. Without that setting nobody gets past the handshake without a certificate.
//!
//! # What is recorded
//!
//! Each change, as over the socket, with the holder of the certificate or the token's name. Whoever is not let in
//! (`auditor.refused` for a certificate, `administrator.refused` for a token or a role), what is read of the custody log and
//! whatever an auditor reads (`administrator.read`), and the use of the pages. The record is on the disk before the answer leaves.
//!
//! # Pages of others
//!
//! A browser shows its user's certificate to whatever asks it. So a request that a page of another site brought about is
//! refused, and the resources refuse whatever a page of any site asks for: programs send no `Origin`.

mod entrance;
mod exchange;
mod holders;
mod refused;
mod server;
mod tls;

pub(super) use holders::Holder;
pub use server::{WebListener, serve};
