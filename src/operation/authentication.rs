//! Who a request shows beside the client's certificate: a user with a password, or a login before.
//!
//! An adapter without users has nothing looked at but tickets. One that has users refuses what is shown and not right; one
//! that requires a user refuses a request that shows none, but for those that touch no object and that a client sends before
//! it knows which version to speak.

use super::batch::Message;
use super::passwords::{Denied, Proof};
use super::refusal::Refusal;
use crate::kmip::enumeration::Operation;
use crate::kmip::message::Credential;

/// Operations that need no user.
const FOR_ANYBODY: [Operation; 3] = [Operation::DiscoverVersions, Operation::Query, Operation::Ping];

/// What a request has shown that is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Authentication {
    /// The user, by a password of now or of the login.
    pub(super) proof: Option<Proof>,
    /// Whether the password came with the request.
    pub(super) by_password: bool,
}

impl Authentication {
    /// How the user is known, as records have it.
    pub(super) fn shown(self) -> Option<&'static str> {
        self.proof
            .map(|_| if self.by_password { "password" } else { "ticket" })
    }
}

impl Message<'_> {
    /// What the message shows; refused where that is not right, or not enough for these operations. A ticket that came counts
    /// as used.
    pub(super) async fn authenticate(&self, operations: &[Operation]) -> Result<Authentication, Refusal> {
        let (tickets, now) = (&self.services.tickets, self.services.clock.now());
        let mut of_tickets = Vec::new();
        for secret in self.tickets() {
            let proof = tickets
                .take(self.caller, now, secret)
                .map_err(Refusal::of_ticket)?;
            of_tickets.extend(proof);
        }
        let credentials = self.services.credentials(self.caller.adapter).await?;
        if credentials.users.is_empty() {
            return Ok(Authentication::default());
        }
        let mut shown = Authentication {
            proof: of_tickets
                .into_iter()
                .find(|proof| proof.is_in_force(&credentials)),
            by_password: false,
        };
        for credential in &self.header.credentials {
            let Credential::UsernameAndPassword { username, password } = credential else {
                continue;
            };
            let denied = match password {
                Some(password) => {
                    let passwords = &self.services.passwords;
                    let verified = passwords.verify(self.caller, &credentials, username, password);
                    match verified.await {
                        Ok(proof) => {
                            shown = Authentication {
                                proof: Some(proof),
                                by_password: true,
                            };
                            continue;
                        }
                        Err(denied) => denied,
                    }
                }
                None => Denied::Wrong,
            };
            if matches!(denied, Denied::NoSuchUser | Denied::Wrong) {
                tracing::warn!(
                    adapter = %self.caller.adapter_name, certificate = %self.caller.certificate,
                    peer = %self.caller.origin.address, "a client was refused: {denied}"
                );
            }
            return Err(Refusal::of_password(&denied));
        }
        let is_for_anybody = operations.iter().all(|operation| FOR_ANYBODY.contains(operation));
        if shown.proof.is_none() && credentials.required && !is_for_anybody {
            return Err(Refusal::password_needed());
        }
        Ok(shown)
    }
}
