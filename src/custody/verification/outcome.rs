//! What is said at the end: what the last visit and the pruning come to, and what could not be shown.

use super::super::{Hash, Head};
use super::finding::Code;
use super::{Report, Verification};

impl Verification<'_> {
    /// What disagrees with the last visit is refused, unless an epoch explains it.
    fn settle_state(&mut self) {
        let epochs = self.content.iter().flat_map(|content| &content.epochs);
        let explains = epochs
            .filter(|epoch| epoch.gave_up(self.seen))
            .map(|epoch| epoch.record)
            .next();
        for (code, words) in std::mem::take(&mut self.findings.of_state) {
            match explains {
                Some(record) => self.findings.add(
                    Code::LogEpochExplains,
                    record,
                    format!("{words}. The epoch of record {record} gave that log up; ask for what it lost"),
                ),
                None => self.findings.add(code, None, words),
            }
        }
    }

    /// The number of the first record that the log still has, where the bundle begins with it.
    fn kept_from(&self) -> Option<u64> {
        let manifest = self.manifest.as_ref()?;
        manifest
            .kept_from
            .filter(|kept_from| *kept_from > 0 && *kept_from >= manifest.from)
    }

    /// What is gone from the beginning of a log has to be what two administrators let go.
    fn settle_pruning(&mut self) {
        let (Some(kept_from), Some(content), None) = (self.kept_from(), &self.content, self.disturbed) else {
            return;
        };
        if content.pruned_below < kept_from {
            let why = format!(
                "the records before {kept_from} are gone from the log, and no record tells that two administrators let them go"
            );
            self.findings.add(Code::LogPrunedUnrecorded, None, why);
        }
    }

    pub(super) fn report(mut self) -> Report {
        self.settle_state();
        self.settle_pruning();
        let not_verified = self.not_verified();
        let kept_from = self.kept_from();
        let head = self.believed.as_ref().map(|believed| believed.checkpoint.head);
        let Head { size, root } = head.unwrap_or(Head {
            size: 0,
            root: Hash([0; 32]),
        });
        Report {
            verified: !self.findings.refused && head.is_some() && self.content.is_some(),
            origin: self.manifest.as_ref().map(|manifest| manifest.origin.clone()),
            from: self.manifest.as_ref().map_or(0, |manifest| manifest.from),
            size,
            root: head.map(|_| root),
            checkpoint: self.checkpoint,
            cosigned: self
                .believed
                .map(|believed| believed.cosigned)
                .unwrap_or_default(),
            checkpoints: self.heads.believed,
            kept_from,
            records: self.content.as_ref().map_or(0, |content| content.number),
            first: self.content.as_ref().and_then(|content| content.first),
            last: self.content.as_ref().and_then(|content| content.last),
            keys: self.keys,
            rows: self.rows,
            rows_at: self.manifest.as_ref().and_then(|manifest| manifest.rows_at),
            identities: self.identities,
            findings: self.findings.list,
            more_findings: self.findings.more,
            not_verified,
        }
    }

    fn not_verified(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.visit.state.is_none() {
            words.push("that the log goes on from an earlier visit: no state was given".to_owned());
        }
        if !self.visit.policy.asks_for_witnesses() {
            words.push("that others were shown the same log: the policy asks for no witness".to_owned());
        }
        if let Some(kept_from) = self.kept_from() {
            words.push(format!(
                "what the records before {kept_from} say: they were pruned; their hashes are those of the signed root"
            ));
        } else if self.manifest.as_ref().is_some_and(|manifest| manifest.from > 0) {
            words.push("that each key was made: the bundle begins after the log does".to_owned());
        }
        if self.rows.is_none() {
            words.push("that the rows of the store are those of the log: no rows were compared".to_owned());
        } else if self.identities.is_none() {
            words.push(
                "that adapters, certificates and root keys in the store are those of the log: none were compared"
                    .to_owned(),
            );
        }
        if let Some(record) = self.disturbed {
            words.push(format!(
                "what keys were from record {record} on: something is wrong with the records there"
            ));
        }
        words
    }
}
