//! The tests of the trait, the same for every database: a database gives a [`Maker`] and gets all of them with
//! `store_suite!`.

pub(crate) mod fixture;
pub(crate) mod identities;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod locate;
pub(crate) mod log;
pub(crate) mod newer;
pub(crate) mod quotas;
pub(crate) mod settings;
pub(crate) mod tampering;
pub(crate) mod tokens;

pub(crate) use fixture::{Fixture, Maker, column_names};
pub(crate) use newer::Newer;

/// Makes a test of each test of the suite, for the databases that `$maker` makes; or one test of all of them.
macro_rules! store_suite {
    ($maker:ty) => {
        store_suite!(@all apart $maker);
    };
    ($maker:ty, as $name:ident) => {
        #[tokio::test]
        async fn $name() {
            store_suite!(@all together $maker);
        }
    };
    (@all $how:ident $maker:ty) => {
        store_suite!(@$how $maker; keys:
            a_key_is_read_back_as_it_was_written,
            a_key_of_another_adapter_is_not_there,
            an_identifier_is_taken_whoever_has_it,
            of_two_changes_from_one_revision_the_second_is_refused,
            a_key_that_is_there_is_not_created_over,
            a_change_of_a_key_that_is_not_there_is_refused,
            a_refused_change_leaves_nothing_of_its_commit,
            a_dropped_transaction_leaves_nothing,
            a_key_of_an_adapter_that_is_not_there_is_refused,
            a_destroyed_key_keeps_what_was_known_of_it,
            a_name_is_one_objects_of_its_adapter,
        );
        store_suite!(@$how $maker; locate:
            keys_are_found_by_all_of_the_terms,
            pages_meet_every_key_once_the_last_created_first,
            keys_are_found_by_what_they_have_now,
            keys_of_another_adapter_are_not_found,
        );
        store_suite!(@$how $maker; identities:
            identities_are_read_back_as_they_were_written,
            a_name_is_given_once,
            a_certificate_opens_one_adapter,
            an_adapter_with_keys_is_not_deleted,
            a_deleted_adapter_takes_its_certificates_with_it,
            what_is_not_there_is_not_removed,
            root_keys_are_opened_again_after_a_restart,
            another_seal_key_is_not_admitted,
            a_rotated_root_key_keeps_its_earlier_version_and_its_keys,
            a_root_key_is_not_rotated_from_a_version_that_it_no_longer_has,
            without_its_seal_key_a_row_is_neither_read_nor_written,
        );
        store_suite!(@$how $maker; life:
            a_version_that_a_key_is_under_is_not_destroyed,
            no_key_comes_under_a_version_that_is_gone,
            a_root_key_that_is_disabled_is_used_by_no_commit,
            a_root_key_is_not_enabled_by_another_hand,
            an_adapter_that_is_moved_keeps_its_certificates_and_its_keys,
        );
        store_suite!(@$how $maker; log:
            the_log_begins_empty_and_grows_by_what_is_appended,
            a_log_that_was_advanced_by_another_is_not_written_over,
            a_record_is_found_by_its_object_and_its_client,
            the_last_record_about_each_of_many_objects_is_found_within_bounds,
            the_hashes_of_the_log_are_given_in_order_up_to_one_that_is_missing,
            a_checkpoint_follows_the_one_before_it_and_gains_signatures,
            of_records_that_are_pruned_the_hashes_stay_and_prove_them,
            what_a_start_reads_is_not_pruned,
            a_checkpoint_that_is_thinned_out_is_gone_and_the_others_are_not,
        );
        store_suite!(@$how $maker; inventory:
            the_rows_of_a_store_are_told_as_its_records_tell_them,
            rows_that_were_changed_by_hand_are_told_as_they_are,
        );
        store_suite!(@$how $maker; tampering:
            a_key_row_changed_in_any_column_is_refused_and_its_neighbours_are_not,
            an_identity_changed_in_any_column_is_refused_and_its_neighbours_are_not,
            an_earlier_version_changed_in_any_column_is_refused,
            the_key_bytes_of_another_row_are_refused,
            a_row_moved_to_another_adapter_opens_nothing,
            an_index_that_points_at_the_wrong_key_is_reported,
            a_changed_adapter_takes_no_new_keys,
        );
        store_suite!(@$how $maker; settings:
            a_setting_is_read_back_as_it_was_written_last_and_goes_with_its_adapter,
            the_settings_of_an_adapter_follow_it_under_another_root_key,
            of_two_changes_of_a_setting_from_one_reading_the_second_is_refused,
            a_setting_changed_in_any_column_is_refused,
        );
        store_suite!(@$how $maker; quotas:
            an_adapter_gets_no_more_keys_than_its_quota_whatever_it_had_before,
            a_destroyed_key_makes_room_for_another,
            what_was_taken_back_is_not_counted,
            a_quota_follows_its_adapter_and_goes_with_it,
            a_quota_changed_in_any_column_makes_no_room,
        );
        store_suite!(@$how $maker; tokens:
            a_token_is_found_by_its_secret_until_it_is_revoked,
            a_token_changed_in_any_column_lets_nobody_in,
        );
    };
    (@together $maker:ty; $module:ident: $($test:ident,)*) => {
        $($crate::store::suite::$module::$test::<$maker>().await;)*
    };
    (@apart $maker:ty; $module:ident: $($test:ident,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                $crate::store::suite::$module::$test::<$maker>().await;
            }
        )*
    };
}
pub(crate) use store_suite;
