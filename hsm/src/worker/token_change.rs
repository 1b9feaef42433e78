//! The worker's side of what changes the objects of the token.

use super::protocol::{Reply, TokenChange};
use crate::Error;
use crate::device::{self, Manner, Session};
use crate::key::WrappedRootKey;

/// Carries out a change. The session must be a writing one.
pub(super) fn carry_out(session: &Session, manner: Manner, change: &TokenChange) -> Result<Reply, Error> {
    Ok(match change {
        TokenChange::DestroyRootKey(locator) => {
            device::destroy(session, locator)?;
            Reply::Done
        }
        TokenChange::OfferTakeIn(label) => Reply::PublicKey(device::offer(session, label)?),
        TokenChange::WithdrawTakeIn(label) => {
            device::withdraw(session, label)?;
            Reply::Done
        }
        TokenChange::TakeIn {
            label,
            wrapped,
            root,
            profile,
        } => {
            let wrapping = match *profile {
                None => manner.wrapping,
                Some(profile) => device::choose(session, Some(profile))?,
            };
            let manner = Manner { wrapping, ..manner };
            Reply::RootKey(device::take_in(session, manner, label, &wrapped.0, root)?)
        }
        TokenChange::GiveOut {
            root,
            recipient,
            hash,
        } => {
            let (facts, wrapped) = device::give_out(session, manner, root, recipient, *hash)?;
            Reply::GivenOut {
                facts,
                wrapped: WrappedRootKey(wrapped),
                profile: manner.wrapping.profile(),
            }
        }
    })
}
