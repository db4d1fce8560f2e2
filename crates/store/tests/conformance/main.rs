//! What every implementation of the store must do. Each test gets a fresh store from a constructor; a further
//! implementation adds its constructor and nothing else.

#[path = "../common/mod.rs"]
mod common;

mod accounts;
mod calls;
mod cases;
mod devices;
mod directory;
mod duties;
mod factors;
mod files;
mod groups;
mod imap;
mod inbox;
mod invites;
mod links;
mod lists;
mod mail;
mod page;
mod pagers;
mod privacy;
mod pubsub;
mod push;
mod reminders;
mod reports;
mod review;
mod roster;
mod search;
mod sendings;
mod sms;
mod streams;
mod sweep;
mod tickets;
mod timeline;

/// Makes a `#[tokio::test]` of each function, with a fresh store from the constructor.
macro_rules! tests {
    ($open:path; $($topic:ident: $($test:ident),+;)+) => {
        $(mod $topic {
            $(#[tokio::test]
            async fn $test() {
                crate::$topic::$test($open().await).await;
            })+
        })+
    };
}

/// The whole suite for one implementation.
macro_rules! suite {
    ($implementation:ident, $open:path) => {
        mod $implementation {
            tests! {
                $open;
                timeline:
                    positions_are_gapless_and_survive_reopening, both_sides_point_to_one_body, a_message_to_oneself_takes_two_positions,
                    the_doorbell_rings_in_commit_order, an_origin_id_is_stored_once, an_id_that_is_no_origin_id_may_repeat,
                    time_never_goes_back_along_a_log, a_dropped_row_does_not_hold_the_time, delivered_never_lowers,
                    what_is_owed_is_kept_until_it_is_settled, a_dropped_position_is_not_given_again,
                    a_retraction_empties_the_body_in_all_logs, only_the_sender_retracts, events_follow_a_position,
                    events_are_bounded_in_bytes, too_many_pointers_are_refused, all_fields_survive, nothing_enters_a_deleted_log,
                    a_message_is_traced_through_all_logs;
                page:
                    pages_forward_and_backward, an_unknown_id_is_not_found, only_archived_entries_are_shown,
                    what_was_said_in_groups_is_there_when_asked_for, conversations_and_resources_are_filtered, times_are_inclusive, ids_are_filtered_and_paged,
                    an_index_begins_the_page, counts_stop_at_the_limit, bounds_are_the_ends, pages_are_bounded_in_bytes,
                    an_empty_window_tells_the_count, the_size_is_counted_in_slices, conversations_are_walked;
                sweep:
                    old_entries_go_and_raise_the_floor, an_account_may_keep_less, a_group_may_keep_less, a_body_goes_with_its_last_pointer,
                    what_passed_is_not_kept, expired_invitations_go, a_deleted_log_is_erased, slices_are_bounded,
                    an_owner_deletes_what_it_wants_of_its_own, a_purge_goes_in_slices;
                reports:
                    a_report_keeps_what_it_is_about, evidence_outlives_the_message, what_the_reported_did_not_send_is_left_out,
                    the_account_behind_an_occupant_is_kept, block_lists_are_kept, reports_are_paged_and_closed, a_block_that_fails_files_nothing, reports_of_one_account_are_bounded,
                    closed_reports_are_forgotten, administrators_are_told_once, a_body_is_withdrawn_while_it_is_the_same,
                    reports_stay_without_their_account, the_denied_are_a_set,
                    some_accounts_have_no_limits, messages_with_somebody_are_known;
                streams:
                    a_stream_counts, a_write_notes_what_was_handled, a_failed_write_notes_nothing, dead_streams_do_not_add_up;
                accounts:
                    numbers_skip_what_is_reserved, names_are_unique, a_number_is_no_name, a_deleted_number_is_not_given_again,
                    deletion_takes_all_that_is_theirs, an_import_refuses_one_by_one, accounts_are_listed,
                    fields_change, last_activity_is_kept, administrators_are_a_set, the_disabled_are_counted;
                groups:
                    groups_have_numbers_and_perhaps_names, nobody_takes_all_groups, a_group_is_configured_and_found,
                    affiliations_change_together_or_not, somebody_is_forgotten_everywhere, a_subject_is_set_with_its_message, hats_are_made_and_worn,
                    an_ended_group_is_gone_for_good;
                invites:
                    an_invitation_is_used_up, an_invitation_leads_into_a_group, a_new_account_has_items, what_was_shown_in_time_is_good, a_name_is_kept_for_whom_it_is_meant,
                    who_invites_becomes_a_contact, an_offer_of_contact_makes_no_account, a_contact_is_taken_up,
                    contacts_use_nothing_up, invitations_of_one_account_are_bounded, the_disabled_invite_nobody;
                sms:
                    letters_are_sendings, parts_wait_for_the_others, stop_is_law, what_is_brought_again_is_known,
                    pins_are_tried_a_few_times, a_phone_is_answered_once;
                pagers:
                    a_pager_number_is_one_accounts, pagers_are_bounded;
                duties:
                    a_group_is_made_and_changed, a_page_is_told_once_to_each;
                reminders:
                    a_reminder_is_told_once, an_errand_answers_what_waits, reminders_are_bounded;
                calls:
                    a_call_is_known_until_it_is_answered, a_call_is_taken_back_with_its_message, calls_are_bounded;
                mail:
                    mail_is_known_by_its_names_and_goes_with_its_message, the_whole_mail_goes_with_its_message,
                    what_goes_out_waits_until_its_gateway_has_it, mails_are_tried_when_they_are_due,
                    what_programs_send_is_queued_with_its_message,
                    what_is_refused_on_its_way_out_is_told_once;
                cases:
                    a_burst_is_one_case_and_reading_ends_it, what_waits_is_cancelled_with_its_case,
                    a_case_that_has_grown_is_looked_at_anew, an_acknowledgement_ends_its_case_and_tells,
                    a_plan_names_proven_addresses_only;
                sendings:
                    a_sending_is_taken_once_and_settled, the_most_urgent_sending_goes_first_and_a_deferred_one_waits,
                    what_was_under_way_at_the_end_is_unknown, news_of_a_sending_only_go_on, sendings_are_capped_by_the_day,
                    what_waits_for_one_address_is_taken_along;
                imap:
                    mails_are_filed_from_the_first_visit_on, a_long_log_is_filed_in_slices, seen_is_what_the_messenger_has_read,
                    a_mail_leaves_the_timeline_with_its_last_folder, flags_change_unless_they_were_changed,
                    folders_are_made_renamed_and_removed, what_a_program_puts_there_stays_until_it_is_expunged,
                    junk_stands_apart_and_is_taught, words_about_senders_are_bounded, old_junk_goes,
                    folders_go_with_their_account, folders_do_as_a_model_does;
                tickets:
                    a_ticket_is_used_once;
                links:
                    a_link_makes_one_administrator, a_link_sets_a_password_once;
                review:
                    an_account_waits_until_it_is_approved;
                directory:
                    a_card_is_kept, who_agreed_is_found, who_did_not_agree_is_not_found, any_part_of_a_chinese_name_is_found,
                    all_words_must_be_there, pages_follow_the_numbers, cards_are_bounded;
                devices:
                    devices_are_listed_and_forgotten, the_device_not_seen_for_longest_makes_room,
                    a_newer_token_voids_the_older_when_it_is_used, a_count_is_good_once, what_was_proven_must_still_hold,
                    one_without_a_device_is_looked_at_too, a_device_is_let_in_by_another, a_login_is_one_query;
                inbox:
                    unread_is_what_came_after_the_last_reading, what_is_not_instant_is_not_counted,
                    what_was_set_aside_is_not_shown_until_it_is_let_in, groups_are_conversations, reading_never_goes_back,
                    reading_is_kept_with_what_says_it, what_is_not_there_was_not_read, counts_of_unread_stop_at_the_limit,
                    one_who_is_flooded_sees_every_conversation, readings_are_bounded, larger_groups_are_read_in_their_own_logs, readings_go_with_the_account;
                factors:
                    a_code_is_used_once;
                files:
                    an_upload_becomes_a_file, an_account_has_a_quota_of_its_own, room_is_counted_before_the_bytes_come, all_together_have_so_much_room,
                    open_uploads_are_bounded, bytes_are_shared_and_erased_with_the_last, what_nobody_names_goes_in_its_time,
                    a_file_goes_with_the_last_body_that_names_it, a_file_goes_when_its_message_is_taken_back, what_others_take_back_does_not_hasten_its_end,
                    a_file_goes_with_old_messages, a_file_may_be_named_before_it_is_there, only_files_of_messages_go_with_them,
                    files_go_with_their_account, uploads_are_listed, what_is_no_name_names_nothing;
                search:
                    words_of_all_scripts_are_found, only_the_owner_finds_it, what_is_not_there_is_not_found,
                    a_number_is_not_given_again, much_is_found_page_by_page, a_long_search_is_refused,
                    a_broken_index_is_made_again, an_index_of_another_store_is_not_used, the_index_tells_how_far_it_is;
                roster:
                    items_are_set_and_removed, versions_tell_what_changed, old_versions_are_forgotten, a_request_is_not_shown,
                    a_subscription_moves_both_sides, an_approval_answers_at_once, removal_ends_both_sides, a_remote_actor_has_one_side,
                    requests_wait_for_their_answer, groups_are_checked, rosters_are_bounded, requests_are_bounded,
                    a_request_outlives_the_item;
                privacy:
                    privacy_is_kept, visibility_is_bounded, who_was_answered_longest_ago_is_forgotten,
                    what_was_set_aside_is_released_in_order, what_was_set_aside_is_dismissed;
                pubsub:
                    items_are_published_and_kept, changes_happen_together_or_not, nodes_are_configured_purged_and_deleted,
                    items_are_paged, pubsub_is_bounded, affiliates_have_parts, nodes_go_with_the_account,
                    nodes_of_the_service_have_creators, each_creator_has_room_of_its_own, subscribers_have_last_items,
                    subscriptions_are_bounded, verified_capabilities_are_kept;
                push:
                    registrations_are_kept_by_what_they_lead_to, registrations_are_bounded, registrations_go_with_their_device_and_account,
                    what_was_not_told_is_found;
                lists:
                    blocks_are_a_set, blocks_are_bounded, archive_preferences_are_replaced, retention_is_chosen,
                    notices_are_replaced, announcements_go_on_where_they_were;
            }
        }
    };
}

suite!(sqlite, crate::common::sqlite);
