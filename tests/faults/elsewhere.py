"""Faults outside a single call over a transport, and the tests that cover them."""

from .row import Held

HELD = [
    Held(
        "4",
        "bad port in the base URL",
        ("config/test_validation::test_base_urls_that_cannot_work",),
    ),
    Held(
        "7",
        "every place taken",
        (
            "call/test_attempts::test_the_deadline_covers_the_queue",
            "transport/test_exchange::test_no_more_than_max_connections_at_once",
        ),
    ),
    Held(
        "48",
        "503 for 500 callers",
        ("call/test_retry_quota::test_a_storm_is_not_sent_three_times",),
    ),
    Held("53", "cancelled at every await", ("faults/test_storms::test_later_calls_succeed",)),
    Held("54", "thousands cancelled", ("faults/test_storms::test_later_calls_succeed",)),
    Held(
        "55", "a task group that fails", ("test_processes::test_failing_groups_lose_no_connection",)
    ),
    Held(
        "56",
        "cancelled twice in tear-down",
        ("tasks/test_background_tasks::test_native_cancellations_do_not_reach_the_work",),
    ),
    Held(
        "57",
        "ids that lead elsewhere",
        (
            "protocol/test_route::test_ids_that_cannot_stand_in_a_path",
            "test_client::test_no_id_reaches_another_route",
        ),
    ),
    Held(
        "58",
        "control characters in headers",
        (
            "config/test_validation::test_header_values_that_cannot_be_sent",
            "config/test_validation::test_header_names_that_cannot_be_sent",
        ),
    ),
    Held(
        "59",
        "credentials that cannot be sent",
        (
            "auth/test_auth::test_a_colon_in_the_username_is_refused",
            "auth/test_auth::test_every_basic_pair_can_be_read_back",
        ),
    ),
    Held(
        "61",
        "the environment's proxies",
        (
            "transport/test_exchange::test_a_loopback_service_needs_no_proxy",
            "transport/test_exchange::test_the_environment_s_proxy_is_used_for_the_rest",
        ),
    ),
    Held(
        "63",
        "a clock that jumps",
        (
            "test_processes::test_only_the_monotonic_clock_counts",
            "protocol/test_wire::test_retry_after",
        ),
    ),
    Held(
        "64",
        "a fork with an open client",
        ("transport/test_lifetime::test_a_fork_shares_no_connection",),
    ),
    Held(
        "65",
        "a second event loop",
        ("transport/test_lifetime::test_a_fresh_pool_follows_a_finished_event_loop",),
    ),
    Held(
        "66",
        "two event loops in two threads",
        ("transport/test_lifetime::test_a_second_running_event_loop_is_refused",),
    ),
    Held(
        "67",
        "used before entering, after closing, entered twice",
        (
            "test_client::test_calls_before_entering_work",
            "test_client::test_a_client_closes_with_its_last_exit",
            "test_client::test_a_closed_client_is_refused",
        ),
    ),
    Held(
        "68",
        "closed with calls under way",
        (
            "transport/test_lifetime::test_a_call_that_outlasts_the_grace_fails",
            "transport/test_lifetime::test_a_second_aclose_waits_for_the_first",
        ),
    ),
    Held(
        "69",
        "never closed",
        ("transport/test_lifetime::test_an_unclosed_client_names_the_line_that_made_it",),
    ),
    Held(
        "70",
        "the interpreter ends, or is interrupted",
        ("test_processes::test_an_interrupt_ends_a_program_as_ever",),
    ),
    Held(
        "71",
        "a given client closed by its owner",
        ("transport/test_exchange::test_a_given_client_that_its_owner_closed_is_named",),
    ),
    Held(
        "72",
        "a hook that raises",
        ("transport/test_exchange::test_a_hook_that_raises_is_our_error",),
    ),
    Held(
        "73",
        "memory of failed calls",
        ("faults/test_storms::test_a_soak_is_flat",),
    ),
    Held("74", "no descriptor left", ("test_processes::test_a_process_without_free_descriptors",)),
]
