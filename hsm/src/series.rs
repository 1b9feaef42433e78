//! Metrics that are looked up once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

/// The metrics of one name, by the labels that tell them apart. Labels are built when a metric is first asked for and never
/// again: what is measured after that is counted and no more, and nothing is where nobody measures.
pub struct Series<L, M>(RwLock<HashMap<L, M>>);

impl<L, M> Default for Series<L, M> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<L: Eq + Hash, M: Clone> Series<L, M> {
    /// The metric with these labels; `register` makes it where it is asked for the first time.
    pub fn get(&self, labels: L, register: impl FnOnce() -> M) -> M {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(metric) = known.get(&labels) {
            return metric.clone();
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(labels).or_insert_with(register).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn a_metric_is_made_once_for_its_labels() {
        let series = Series::default();
        assert_eq!(series.get(("get", "success"), || 1), 1);
        assert_eq!(series.get(("get", "success"), || 2), 1);
        assert_eq!(series.get(("get", "failed"), || 3), 3);
    }
}
