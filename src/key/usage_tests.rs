use super::*;
use crate::key::testing::key_with;
use crate::kmip::attribute::Attribute;

const NOW: DateTime = DateTime(1_700_000_000);

fn active(more: Vec<AttributeValue>) -> ManagedObject {
    let more: Vec<Attribute> = more.into_iter().map(Into::into).collect();
    let mut key = key_with(more, NOW);
    key.activate(NOW).expect("a new key can be activated");
    key
}

fn limited(total: i64, unit: UsageLimitsUnit) -> ManagedObject {
    active(vec![AttributeValue::UsageLimits(UsageLimits {
        total,
        count: None,
        unit,
    })])
}

#[test]
fn a_key_that_is_not_active_protects_nothing() {
    let key = key_with(Vec::new(), NOW);
    let refused = Err(UsageError::State(State::PreActive));
    assert_eq!(key.check_usage(Usage::Protect, NOW), refused);
    assert_eq!(key.check_usage(Usage::Process, NOW), refused);
    assert_eq!(active(Vec::new()).check_usage(Usage::Protect, NOW), Ok(()));
}

#[test]
fn what_a_key_protected_can_be_read_after_its_deactivation() {
    let date = DateTime(NOW.0 + 10);
    let key = active(vec![AttributeValue::DeactivationDate(date)]);
    assert_eq!(key.check_usage(Usage::Process, date), Ok(()));
    let refused = Err(UsageError::State(State::Deactivated));
    assert_eq!(key.check_usage(Usage::Protect, date), refused);
}

#[test]
fn the_protect_stop_date_ends_protection_and_the_process_start_date_begins_reading() {
    let (stop, start) = (DateTime(NOW.0 + 10), DateTime(NOW.0 + 20));
    let key = active(vec![
        AttributeValue::ProtectStopDate(stop),
        AttributeValue::ProcessStartDate(start),
    ]);
    assert_eq!(key.check_usage(Usage::Protect, NOW), Ok(()));
    assert_eq!(
        key.check_usage(Usage::Protect, stop),
        Err(UsageError::Late("Protect Stop Date"))
    );
    assert_eq!(
        key.check_usage(Usage::Process, stop),
        Err(UsageError::Early("Process Start Date"))
    );
    assert_eq!(key.check_usage(Usage::Process, start), Ok(()));
}

#[test]
fn usage_limits_are_not_exceeded_by_a_byte() {
    let mut key = limited(16, UsageLimitsUnit::Byte);
    assert_eq!(key.use_up(10, 1), Ok(true));
    assert_eq!(key.use_up(7, 1), Err(UsageError::Limit));
    assert_eq!(key.usage_left(), Some(6));
    assert_eq!(key.use_up(6, 1), Ok(true));
    assert_eq!(key.usage_left(), Some(0));
}

#[test]
fn usage_limits_of_objects_count_operations() {
    let mut key = limited(1, UsageLimitsUnit::Object);
    assert_eq!(key.use_up(1_000, 1), Ok(true));
    assert_eq!(key.use_up(1, 0), Ok(false));
    assert_eq!(key.use_up(1, 1), Err(UsageError::Limit));
}

#[test]
fn a_key_without_usage_limits_is_used_without_end() {
    assert_eq!(active(Vec::new()).use_up(usize::MAX, u32::MAX), Ok(false));
}
