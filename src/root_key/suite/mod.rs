//! The tests of the trait, the same for every backend: a backend gives a [`Maker`] and gets all of them with
//! `root_key_suite!`. In what the backends differ is a table, [`Expectations`]: a test has no cases of its own for it.

pub(crate) mod client_keys;
pub(crate) mod expectations;
pub(crate) mod fixture;
mod key_protect;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod root_keys;
pub(crate) mod softhsm;

pub(crate) use expectations::Expectations;
pub(crate) use fixture::Maker;

/// Makes a test of each test of the suite, for the backends that `$maker` makes.
macro_rules! root_key_suite {
    ($maker:ty) => {
        root_key_suite!(@tests $maker; keys:
            keys_come_back_as_they_were_made_and_taken_in,
            a_secret_of_any_length_comes_back_in_its_length,
            a_key_is_wrapped_and_released_as_its_records_will_say,
            a_wrapped_key_that_was_changed_gives_no_other_key,
            a_wrapped_key_of_a_profile_that_the_backend_has_not_is_refused,
            a_key_opens_as_no_other_than_it_is,
            another_root_key_does_not_release_a_key,
            a_value_in_pieces_comes_back_whole,
            requests_at_one_time_get_each_their_own_key,
            requests_that_are_given_up_cost_the_others_nothing,
            keys_are_used_where_the_backend_can_and_refused_as_unsupported_where_not,
            random_numbers_are_of_the_length_that_was_asked_for_and_never_the_same,
        );
        root_key_suite!(@tests $maker; client_keys:
            a_key_leaves_under_a_clients_key_as_rfc_3394_and_rfc_5649_say,
            a_key_comes_in_under_a_clients_key_and_a_changed_one_does_not,
            a_key_of_no_whole_blocks_is_not_wrapped_without_padding,
        );
        root_key_suite!(@tests $maker; root_keys:
            a_root_key_is_found_again_after_a_restart_and_opens_its_keys,
            another_key_in_the_root_keys_place_is_noticed_and_left_alone,
            a_root_key_that_is_not_there_is_an_error_and_is_never_made,
            a_label_is_given_to_one_root_key_only,
            a_seal_key_is_the_same_each_time_it_is_released,
            the_backend_says_what_it_is,
            a_root_key_comes_from_elsewhere_only_where_nobody_else_can_have_it,
        );
        root_key_suite!(@tests $maker; life:
            a_key_that_is_wrapped_anew_keeps_its_bytes,
            a_rotation_leaves_every_key_where_it_is_found,
            a_key_that_was_wrapped_anew_when_it_was_released_opens_from_there,
            a_destroyed_root_key_opens_nothing_any_more_and_no_other_is_touched,
            an_earlier_version_goes_alone_or_not_at_all,
            a_destroyed_root_key_is_brought_back_with_its_keys_where_the_backend_can,
            a_disabled_root_key_opens_nothing_where_the_backend_can_and_afterwards_all,
        );
    };
    (@tests $maker:ty; $module:ident: $($test:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                $crate::root_key::suite::$module::$test::<$maker>().await;
            }
        )*
    };
}
pub(crate) use root_key_suite;
