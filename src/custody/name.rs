//! The events that the log knows, by name, in one table.
//!
//! Modelled on the activity events of Key Protect (`kms.kmip.get`, …): what was done to, then what was done.
//! A name that was ever written stays in the table; a new one goes at the end of its group.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! event_names {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal,)*) => {
        /// What happened, as a record names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum EventName {
            $($(#[$documentation])* $variant,)*
        }

        impl EventName {
            /// All of them, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as it stands in a record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl FromStr for EventName {
            type Err = UnknownEventName;

            fn from_str(text: &str) -> Result<Self, UnknownEventName> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    other => Err(UnknownEventName(other.to_owned())),
                }
            }
        }
    };
}

event_names! {
    /// A server opened the log and is about to serve.
    ServerStart = "server.start",
    /// A server stopped in good order; the last record it writes.
    ServerStop = "server.stop",
    /// The configuration was read again while the server ran, or was to be and has errors.
    ServerReload = "server.reload",
    /// All that a server had in an SQLite file was brought to a PostgreSQL, this log with it.
    StoreMigrate = "store.migrate",
    /// The server shows its clients another certificate from now on.
    ServerCertificate = "server.certificate",
    /// Nothing else happened for a while: the log is alive, and its checkpoint made anew.
    CustodyHeartbeat = "custody.heartbeat",

    /// A root key was made in its backend and entered here.
    RootKeyCreate = "root-key.create",
    /// An RSA key was made in a backend, under which a root key can be brought there once.
    RootKeyOfferImport = "root-key.offer-import",
    /// A root key that exists elsewhere was brought to its backend, wrapped, and entered here.
    RootKeyImport = "root-key.import",
    /// A new version of a root key was made in its backend and took the place of the one before it.
    RootKeyRotate = "root-key.rotate",
    /// A key was wrapped under the present version of its root key; its bytes and attributes are what they were.
    KeyRewrap = "key.rewrap",
    /// A root key was found and checked, or not found, or not the one that was entered.
    RootKeyVerify = "root-key.verify",
    /// A key is destroyed, for it was deleted in the key manager where it lay, wrapped.
    KeyDestroy = "key.destroy",
    /// A key is destroyed, for whoever looks after its adapter deleted it at the administration interface.
    KeyDelete = "key.delete",
    /// A key is revoked, for whoever administers the server had it on a list.
    KeyRevoke = "key.revoke",
    /// The keys of a list are about to be revoked or destroyed, each with a record of its own.
    KeyListBegin = "key-list.begin",
    /// Each key of a list was revoked or destroyed, or left as it was.
    KeyListEnd = "key-list.end",

    /// A root key was disabled: nothing is made, released or re-wrapped under it.
    RootKeyDisable = "root-key.disable",
    /// A root key was enabled again.
    RootKeyEnable = "root-key.enable",
    /// The destruction of a root key was asked for; the root key is disabled.
    RootKeyScheduleDestruction = "root-key.schedule-destruction",
    /// Another administrator approved of a root key's destruction.
    RootKeyApproveDestruction = "root-key.approve-destruction",
    /// A root key's destruction was called off; the root key is disabled.
    RootKeyCancelDestruction = "root-key.cancel-destruction",
    /// The destruction of a root key begins and can't be stopped any more: every key under it is unreadable for good.
    RootKeyDestroy = "root-key.destroy",
    /// Every version of a root key that a key was ever under was destroyed in its backend and looked for in vain.
    RootKeyDestroyed = "root-key.destroyed",
    /// The destruction of an earlier version of a root key begins; no key is under it.
    RootKeyDestroyVersion = "root-key.destroy-version",
    /// An earlier version of a root key was destroyed in its backend and looked for in vain.
    RootKeyVersionDestroyed = "root-key.version-destroyed",
    /// A root key that was in its backend already was taken up and entered here.
    RootKeyAdopt = "root-key.adopt",
    /// A root key that was destroyed, here or in its backend, was brought back.
    RootKeyRestore = "root-key.restore",

    /// An adapter was made.
    AdapterCreate = "adapter.create",
    /// An adapter was put under another root key; its keys follow, each with a record of its own.
    AdapterMove = "adapter.move",
    /// A key was brought under the root key that its adapter was put under; its bytes and attributes are what they were.
    KeyMove = "key.move",
    /// It was bounded how many keys and connections an adapter may have and how many requests it may send, or no more.
    AdapterSetQuota = "adapter.set-quota",
    /// An adapter was deleted.
    AdapterDelete = "adapter.delete",

    /// A client certificate was let in.
    CertificateAdd = "certificate.add",
    /// A client certificate was taken out.
    CertificateRemove = "certificate.remove",
    /// A client certificate that is not let in was shown.
    CertificateRefused = "certificate.refused",

    /// An authority was trusted: the clients whose certificates it issued are let in.
    AuthorityAdd = "authority.add",
    /// An authority was trusted no more.
    AuthorityRemove = "authority.remove",

    /// A user was added, whose password an adapter's clients show.
    CredentialAdd = "credential.add",
    /// A user was removed.
    CredentialRemove = "credential.remove",
    /// It was said whether a request that shows no user is refused.
    CredentialPolicy = "credential.policy",

    /// KMIP Create.
    KmipCreate = "kmip.create",
    /// KMIP Register.
    KmipRegister = "kmip.register",
    /// KMIP Re-key: a key that takes the place of another was made.
    KmipReKey = "kmip.re-key",
    /// KMIP Get: with outcome `success`, the key was released to the client.
    KmipGet = "kmip.get",
    /// KMIP Export: with outcome `success`, the object was released to the client, with its attributes.
    KmipExport = "kmip.export",
    /// KMIP Import: an object was taken in with its identifier and its attributes, or took the place of one.
    KmipImport = "kmip.import",
    /// KMIP Get Attributes.
    KmipGetAttributes = "kmip.get-attributes",
    /// KMIP Get Attribute List.
    KmipGetAttributeList = "kmip.get-attribute-list",
    /// KMIP Add Attribute.
    KmipAddAttribute = "kmip.add-attribute",
    /// KMIP Modify Attribute.
    KmipModifyAttribute = "kmip.modify-attribute",
    /// KMIP Delete Attribute.
    KmipDeleteAttribute = "kmip.delete-attribute",
    /// KMIP Locate.
    KmipLocate = "kmip.locate",
    /// KMIP Check.
    KmipCheck = "kmip.check",
    /// KMIP Obtain Lease.
    KmipObtainLease = "kmip.obtain-lease",
    /// KMIP Get Usage Allocation: so much less may be protected with the key.
    KmipGetUsageAllocation = "kmip.get-usage-allocation",
    /// KMIP Archive.
    KmipArchive = "kmip.archive",
    /// KMIP Recover.
    KmipRecover = "kmip.recover",
    /// KMIP Activate.
    KmipActivate = "kmip.activate",
    /// KMIP Revoke.
    KmipRevoke = "kmip.revoke",
    /// KMIP Destroy.
    KmipDestroy = "kmip.destroy",
    /// KMIP Discover Versions.
    KmipDiscoverVersions = "kmip.discover-versions",
    /// KMIP Query.
    KmipQuery = "kmip.query",
    /// KMIP Set Attribute.
    KmipSetAttribute = "kmip.set-attribute",
    /// KMIP Adjust Attribute.
    KmipAdjustAttribute = "kmip.adjust-attribute",
    /// KMIP Log: a message of the client's.
    KmipLog = "kmip.log",
    /// KMIP Interop: a client marks that a test begins or ends.
    KmipInterop = "kmip.interop",
    /// KMIP Login: a ticket was given.
    KmipLogin = "kmip.login",
    /// KMIP Logout: a ticket is good no more.
    KmipLogout = "kmip.logout",
    /// KMIP Poll: the answer to an earlier request was fetched.
    KmipPoll = "kmip.poll",
    /// KMIP Cancel.
    KmipCancel = "kmip.cancel",
    /// KMIP Process: an earlier request was to be carried out at once.
    KmipProcess = "kmip.process",
    /// KMIP Query Asynchronous Requests.
    KmipQueryAsynchronousRequests = "kmip.query-asynchronous-requests",
    /// KMIP Set Defaults.
    KmipSetDefaults = "kmip.set-defaults",
    /// KMIP Set Constraints.
    KmipSetConstraints = "kmip.set-constraints",
    /// KMIP Get Constraints.
    KmipGetConstraints = "kmip.get-constraints",
    /// KMIP Ping.
    KmipPing = "kmip.ping",
    /// KMIP Encrypt: the key was used, and did not leave.
    KmipEncrypt = "kmip.encrypt",
    /// KMIP Decrypt: the key was used, and did not leave.
    KmipDecrypt = "kmip.decrypt",
    /// KMIP MAC: the key was used, and did not leave.
    KmipMac = "kmip.mac",
    /// KMIP MAC Verify: the key was used, and did not leave.
    KmipMacVerify = "kmip.mac-verify",
    /// KMIP RNG Retrieve.
    KmipRngRetrieve = "kmip.rng-retrieve",
    /// KMIP RNG Seed.
    KmipRngSeed = "kmip.rng-seed",
    /// KMIP Hash.
    KmipHash = "kmip.hash",
    /// KMIP Derive Key: a key was made out of another, which did not leave.
    KmipDeriveKey = "kmip.derive-key",
    /// A KMIP operation that this server does not do.
    KmipUnsupported = "kmip.unsupported",
    /// A KMIP message that was refused before any of its operations was looked at.
    KmipMessageRefused = "kmip.message-refused",

    /// A row of the store was found changed by another hand, and refused.
    StoreTampered = "store.tampered",
    /// A backup was made: everything that the store has, encrypted, left the server.
    BackupCreate = "backup.create",
    /// The store was filled from a backup; recorded by the first server that started on it.
    BackupRestore = "backup.restore",

    /// A change that an administrator asked for was refused, where no event of its own tells of it.
    AdministratorRefused = "administrator.refused",
    /// Somebody read records, or as an auditor anything, at the administration interface over HTTPS.
    AdministratorRead = "administrator.read",

    /// An access token for the administration interface was made.
    TokenCreate = "token.create",
    /// An access token was revoked.
    TokenRevoke = "token.revoke",

    /// The custody log goes on from another state than the one that was written last, as two administrators agreed.
    CustodyEpoch = "custody.epoch",
    /// The rows of keys that only records tell of which are to be pruned, told again: what comes after it needs none of those.
    CustodyCarry = "custody.carry",
    /// Records of the custody log were let go, as two administrators agreed: their hashes stay.
    CustodyPrune = "custody.prune",

    /// An auditor looked at a page.
    AuditorView = "auditor.view",
    /// An auditor took records or proofs along.
    AuditorDownload = "auditor.download",
    /// An auditor had a proof verified.
    AuditorVerify = "auditor.verify",
    /// A certificate that lets nobody in was shown at the auditor's pages, or to the interface beside them.
    AuditorRefused = "auditor.refused",
}

/// A name that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event is called {0:?}")]
pub struct UnknownEventName(String);

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_event_can_be_told_from_every_other() {
        let names: BTreeSet<_> = EventName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), EventName::ALL.len());
        for name in EventName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
        }
    }

    #[test]
    fn event_names_have_the_form_subject_dot_action() {
        for name in EventName::ALL {
            let parts: Vec<_> = name.as_str().split('.').collect();
            assert_eq!(parts.len(), 2, "{name}");
            for part in parts {
                assert!(part.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            }
        }
    }
}
