"""Where each of the 47 nasties of usage files is tested, by the treatment it must get."""

import importlib

import pytest

MEDIATION = "mediation.test_"
SAMPLES = MEDIATION + "real_samples"
HERE, MEDIATE, DAYS = MEDIATION + "nasties", MEDIATION + "mediate", MEDIATION + "usage_days"
ARCHIVE, FILES, LOADED = "intake.test_archive", "books.test_files", "orchestration.test_files"

TESTS: dict[int, tuple[str, ...]] = {
    1: (f"{HERE}:n01_an_empty_file_has_no_records_and_is_no_error",),
    2: (f"{HERE}:n02_a_header_alone_is_accepted_with_no_records",),
    3: (f"{HERE}:n03_a_byte_order_mark_is_stripped_also_before_a_quote",),
    4: (f"{HERE}:n04_utf_16_is_quarantined_unless_the_feed_allows_it",),
    5: (f"{HERE}:n05_mixed_encodings_are_decoded_per_record_and_never_replaced",),
    6: (f"{HERE}:n06_mixed_line_ends_and_no_last_one_are_accepted",),
    7: (f"{HERE}:n07_a_half_written_line_is_suspended_and_the_good_ones_load",),
    8: (
        f"{ARCHIVE}:unfinished_names_are_left_alone",
        f"{ARCHIVE}:a_file_that_has_just_changed_is_left_for_later",
        "intake.test_arrival:a_file_with_a_marker_is_taken_and_the_marker_is_not",
    ),
    9: (
        f"{ARCHIVE}:compression_is_told_by_content",
        f"{ARCHIVE}:a_broken_or_unsafe_archive_is_refused",
        "intake.test_zstd:a_damaged_or_swollen_zstd_file_is_held_whole",
    ),
    10: (f"{FILES}:the_same_content_under_another_name_is_a_duplicate",),
    11: (
        f"{FILES}:a_name_that_was_loaded_with_other_content_is_told",
        f"{LOADED}:a_name_that_comes_with_other_content_is_held_until_a_person_decides",
    ),
    12: (f"{HERE}:n12_old_records_in_a_cumulative_file_have_the_identity_they_had",),
    13: (
        f"{HERE}:n13_sequence_gaps_are_listed_and_close_when_the_late_file_comes",
        f"{HERE}:n13_numbers_run_as_the_feed_declares",
    ),
    14: (
        f"{HERE}:n14_n15_a_wrong_or_missing_trailer_quarantines",
        f"{HERE}:n14_totals_of_a_header_count_what_they_are_declared_to",
    ),
    15: (
        f"{HERE}:n14_n15_a_wrong_or_missing_trailer_quarantines",
        f"{SAMPLES}:a_real_file_that_lacks_its_head_is_held_whole",
    ),
    16: (
        f"{ARCHIVE}:links_are_not_followed",
        f"{ARCHIVE}:a_broken_or_unsafe_archive_is_refused",
        f"{ARCHIVE}:an_encrypted_zip_is_refused",
        f"{ARCHIVE}:a_bomb_stops_at_the_limit",
    ),
    17: (f"{HERE}:n17_a_file_of_another_feed_is_quarantined",),
    18: (f"{HERE}:n18_delimiters_quotes_and_line_ends_in_quotes_are_content",),
    19: (
        f"{HERE}:n19_url_encoded_values_are_decoded_where_declared",
        "mediation.test_decode:tolerant_quoting_reads_unescaped_quotes_within_one_line",
        "mediation.test_decode:backslash_escapes_are_resolved",
    ),
    20: (f"{HERE}:n20_a_wrong_number_of_columns_and_a_repeated_key_are_suspended",),
    21: (f"{HERE}:n21_columns_are_mapped_by_name_and_a_missing_one_quarantines",),
    22: (f"{HERE}:n22_an_unknown_disposition_is_suspended_never_ignored",),
    23: (f"{HERE}:n23_control_characters_suspend_and_a_nul_block_is_one_record",),
    24: (
        f"{HERE}:n24_megabyte_fields_and_deep_nesting_are_limited",
        "mediation.test_decode:a_line_without_end_is_one_suspended_record_and_memory_stays_small",
    ),
    25: (
        f"{HERE}:n25_formulas_are_accepted_unchanged",
        "vocabulary.test_spreadsheets:n25_what_looks_like_a_formula_is_shown_as_text",
        "cli.test_suspense_and_files:suspense_is_listed_shown_exported_and_written_off",
    ),
    26: (f"{HERE}:n26_a_record_repeated_in_its_file_is_a_duplicate_kept_and_counted",),
    27: (f"{MEDIATE}:the_same_record_in_two_files_counts_once",),
    28: (f"{MEDIATE}:one_identity_with_other_content_is_a_conflict_and_never_billed_twice",),
    29: (f"{HERE}:n29_records_out_of_order_give_the_same_events",),
    30: (f"{HERE}:n30_n31_late_future_and_epoch_zero_are_told_apart",),
    31: (
        f"{HERE}:n30_n31_late_future_and_epoch_zero_are_told_apart",
        f"{HERE}:n31_times_out_of_order_are_flagged_and_far_ones_wait",
        f"{HERE}:n31_an_hour_that_came_twice_is_no_clock_out_of_order",
    ),
    32: (f"{HERE}:n32_odd_durations_are_suspended_and_zero_is_accepted",),
    33: (f"{HERE}:n33_unanswered_calls_are_filtered_with_their_reason",),
    34: (
        f"{HERE}:n34_a_call_over_midnight_and_month_end_is_whole_at_the_instant_it_began",
        f"{DAYS}:a_call_over_midnight_is_one_event_of_its_first_day",
    ),
    35: (f"{HERE}:n35_local_times_at_clock_changes_follow_the_declared_rule",),
    36: (
        f"{MEDIATE}:parts_of_a_session_become_one_event",
        f"{DAYS}:a_late_first_part_opens_the_day_of_the_last_again",
        f"{DAYS}:a_feed_may_count_incomplete_sessions_as_far_as_they_have_come",
        f"{DAYS}:cumulative_parts_over_midnight_count_once",
    ),
    37: (f"{HERE}:n37_n44_numbers_are_read_in_the_numbering_context",),
    38: (f"{HERE}:n38_formats_and_zones_are_declared_never_guessed",),
    39: (f"{HERE}:n39_decimals_are_read_in_the_declared_locale_exactly",),
    40: (
        f"{MEDIATE}:a_reversal_takes_back_its_original_and_both_are_kept",
        f"{MEDIATE}:a_reversal_without_original_waits_in_suspense",
        f"{DAYS}:a_reversal_goes_to_the_day_of_what_it_takes_back",
    ),
    41: (f"{HERE}:n41_test_and_internal_calls_are_filtered_by_rule",),
    42: (f"{HERE}:n42_declared_words_for_nothing_are_null_and_required_ones_suspend",),
    43: (
        f"{HERE}:n43_integers_beyond_signed_64_bits_are_exact",
        f"{DAYS}:a_smaller_reading_wrapped_or_began_anew",
    ),
    44: (
        f"{HERE}:n37_n44_numbers_are_read_in_the_numbering_context",
        f"{HERE}:n44_unseen_characters_are_left_out_of_the_look_up_kept_and_flagged",
        f"{HERE}:n44_a_number_with_marks_is_read_and_flagged",
    ),
    45: (f"{HERE}:n45_identity_holds_what_the_feed_declares",),
    46: (f"{HERE}:n46_numbers_a_spreadsheet_has_mangled_are_suspended",),
    47: (
        f"{HERE}:n47_odd_file_names_match_by_text_alone",
        f"{ARCHIVE}:odd_names_are_archived_as_they_are",
    ),
}


def test_every_nasty_of_the_forty_seven_has_its_tests() -> None:
    assert sorted(TESTS) == list(range(1, 48))


@pytest.mark.parametrize("nasty", TESTS, ids=lambda number: f"N{number:02}")
def test_the_tests_of_a_nasty_are_there(nasty: int) -> None:
    for test in TESTS[nasty]:
        module, name = test.split(":")
        found = importlib.import_module(f"billing_pipeline_tests.{module}")
        assert hasattr(found, f"test_{name}"), test
