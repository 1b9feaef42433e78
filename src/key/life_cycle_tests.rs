use proptest::prelude::*;

use super::*;

const fn at(seconds: i64) -> DateTime {
    DateTime(seconds)
}

const COMPROMISE: Event = Event::Compromise { occurred: at(0) };

#[test]
fn a_key_becomes_active_when_its_activation_date_is_reached_and_not_a_second_before() {
    let mut life = LifeCycle::begin();
    life.plan(PlannedDate::Activation, at(100), at(0)).unwrap();
    assert_eq!(life.state(at(99)), State::PreActive);
    assert_eq!(life.state(at(100)), State::Active);
}

#[test]
fn a_key_is_deactivated_when_its_date_is_reached() {
    let mut life = LifeCycle::begin();
    life.plan(PlannedDate::Activation, at(-3600), at(0)).unwrap();
    life.plan(PlannedDate::Deactivation, at(120), at(0)).unwrap();
    assert_eq!(life.state(at(119)), State::Active);
    assert_eq!(life.state(at(120)), State::Deactivated);
}

#[test]
fn an_activated_key_is_active_on_a_node_whose_clock_is_behind() {
    let mut life = LifeCycle::begin();
    life.apply(Event::Activate, at(1000)).unwrap();
    assert_eq!(life.state(at(990)), State::Active);
}

#[test]
fn a_deactivation_date_does_not_end_a_key_that_was_never_active() {
    let mut life = LifeCycle::begin();
    life.plan(PlannedDate::Deactivation, at(10), at(0)).unwrap();
    assert_eq!(life.state(at(20)), State::PreActive);
    assert_eq!(
        life.apply(Event::Activate, at(20)),
        Err(LifeCycleError::DeactivationPassed)
    );
}

#[test]
fn the_activation_date_of_an_active_key_stays() {
    let mut life = LifeCycle::begin();
    life.apply(Event::Activate, at(5)).unwrap();
    let refused = life.plan(PlannedDate::Activation, at(6), at(7)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the Activation Date cannot be changed in the state Active"
    );
}

#[test]
fn a_reached_protect_stop_date_stays() {
    let mut life = LifeCycle::begin();
    life.apply(Event::Activate, at(0)).unwrap();
    life.plan(PlannedDate::ProtectStop, at(10), at(1)).unwrap();
    life.plan(PlannedDate::ProtectStop, at(20), at(9)).unwrap();
    assert_eq!(
        life.plan(PlannedDate::ProtectStop, at(30), at(20)),
        Err(LifeCycleError::Reached {
            date: "Protect Stop Date"
        })
    );
}

#[test]
fn dates_out_of_order_are_refused_by_name() {
    let mut life = LifeCycle::begin();
    life.plan(PlannedDate::Activation, at(100), at(0)).unwrap();
    let before = life.clone();
    let refused = life.plan(PlannedDate::Deactivation, at(50), at(0)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the Activation Date would be later than the Deactivation Date"
    );
    assert_eq!(life, before);
}

#[test]
fn a_destroyed_key_can_still_be_reported_compromised_and_then_nothing_more() {
    let mut life = LifeCycle::begin();
    life.apply(Event::Destroy, at(1)).unwrap();
    assert_eq!(life.apply(COMPROMISE, at(2)), Ok(State::DestroyedCompromised));
    for event in [
        Event::Activate,
        Event::Deactivate,
        COMPROMISE,
        Event::Destroy,
        Event::Lose,
    ] {
        assert!(life.apply(event, at(3)).is_err());
    }
}

#[test]
fn an_active_key_cannot_be_destroyed() {
    let mut life = LifeCycle::begin();
    life.apply(Event::Activate, at(1)).unwrap();
    let refused = life.apply(Event::Destroy, at(2)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "destruction is not possible in the state Active"
    );
}

#[test]
fn a_key_that_was_deleted_where_it_lay_is_destroyed_in_whatever_state_it_was() {
    let mut active = LifeCycle::begin();
    active.apply(Event::Activate, at(1)).unwrap();
    active.plan(PlannedDate::ProtectStop, at(50), at(1)).unwrap();
    assert_eq!(active.apply(Event::Lose, at(2)), Ok(State::Destroyed));
    assert_eq!(active.destroy(), Some(at(2)));
    assert_eq!(active.planned(PlannedDate::Deactivation), Some(at(2)));
    assert_eq!(active.planned(PlannedDate::ProtectStop), Some(at(2)));

    let mut fresh = LifeCycle::begin();
    assert_eq!(fresh.apply(Event::Lose, at(2)), Ok(State::Destroyed));
    assert_eq!(fresh.planned(PlannedDate::Deactivation), None);

    let mut compromised = LifeCycle::begin();
    compromised.apply(COMPROMISE, at(1)).unwrap();
    let lost = compromised.apply(Event::Lose, at(2));
    assert_eq!(lost, Ok(State::DestroyedCompromised));
    assert!(compromised.apply(Event::Lose, at(3)).is_err());
}

#[test]
fn a_life_cycle_survives_being_stored() {
    let mut life = LifeCycle::begin();
    life.plan(PlannedDate::Activation, at(-1), at(0)).unwrap();
    life.apply(COMPROMISE, at(9)).unwrap();
    let stored = serde_json::to_string(&life).unwrap();
    assert_eq!(serde_json::from_str::<LifeCycle>(&stored).unwrap(), life);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait,
    Apply(Event),
    Plan(PlannedDate, i64),
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let event = prop_oneof![
        Just(Event::Activate),
        Just(Event::Deactivate),
        Just(Event::Destroy),
        Just(Event::Lose),
        (-50_i64..50).prop_map(|seconds| Event::Compromise {
            occurred: at(seconds)
        }),
    ];
    let date = prop_oneof![
        Just(PlannedDate::Activation),
        Just(PlannedDate::ProcessStart),
        Just(PlannedDate::ProtectStop),
        Just(PlannedDate::Deactivation),
    ];
    let step = prop_oneof![
        Just(Step::Wait),
        event.prop_map(Step::Apply),
        (date, -100_i64..400).prop_map(|(date, value)| Step::Plan(date, value)),
    ];
    prop::collection::vec((0_i64..40, step), 1..40)
}

/// How far along its life a key is: no state is ever left for one before it.
fn age(state: State) -> u8 {
    match state {
        State::PreActive => 0,
        State::Active => 1,
        State::Deactivated => 2,
        State::Compromised => 3,
        State::Destroyed => 4,
        State::DestroyedCompromised => 5,
        State::Other(_) => unreachable!("the states of KMIP 1.4"),
    }
}

proptest! {
    #[test]
    fn no_history_leads_back(steps in steps()) {
        let mut life = LifeCycle::begin();
        let mut now = 0;
        for (wait, step) in steps {
            let before = life.clone();
            let was = life.state(at(now));
            now += wait;
            // Time alone never takes a step back and never destroys.
            let waited = life.state(at(now));
            prop_assert!(age(waited) >= age(was));
            prop_assert!(age(waited) <= 2 || waited == was);
            let done = match step {
                Step::Wait => true,
                Step::Apply(event) => {
                    let expected = transition(waited, event);
                    let result = life.apply(event, at(now));
                    prop_assert!(result.is_err() || result == expected);
                    result.is_ok()
                }
                Step::Plan(date, value) => life.plan(date, at(value), at(now)).is_ok(),
            };
            if !done {
                prop_assert_eq!(&life, &before);
            }
            let is = life.state(at(now));
            prop_assert!(age(is) >= age(waited));
            if matches!(waited, State::Destroyed | State::DestroyedCompromised) {
                prop_assert!(is == waited || is == State::DestroyedCompromised);
            }
            // What has happened is not dated anew.
            for (then, now) in [
                (before.destroy(), life.destroy()),
                (before.compromise(), life.compromise()),
                (before.compromise_occurrence(), life.compromise_occurrence()),
            ] {
                prop_assert!(then.is_none() || then == now);
            }
            // The dates and the state tell the same story.
            prop_assert_eq!(life.destroy().is_some(), age(is) >= 4);
            prop_assert_eq!(
                life.compromise().is_some(),
                matches!(is, State::Compromised | State::DestroyedCompromised)
            );
            if matches!(is, State::Active | State::Deactivated) {
                prop_assert!(life.planned(PlannedDate::Activation).is_some());
            }
        }
    }

    #[test]
    fn dates_planned_by_a_client_stay_in_order(steps in steps()) {
        let mut life = LifeCycle::begin();
        let mut now = 0;
        for (wait, step) in steps {
            now += wait;
            match step {
                Step::Plan(date, value) => drop(life.plan(date, at(value), at(now))),
                Step::Apply(event) => drop(life.apply(event, at(now))),
                Step::Wait => {}
            }
            let (activation, stop, end) = (
                life.planned(PlannedDate::Activation),
                life.planned(PlannedDate::ProtectStop),
                life.planned(PlannedDate::Deactivation),
            );
            if let (Some(activation), Some(end)) = (activation, end) {
                prop_assert!(activation <= end);
            }
            if let (Some(stop), Some(end)) = (stop, end) {
                prop_assert!(stop <= end);
            }
        }
    }
}
