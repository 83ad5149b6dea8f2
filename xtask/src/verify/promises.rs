//! The promises, the tests that check each, and the running of those tests.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::{Context, Result, bail};

use super::cargo;

/// How the line of a test's output begins that has its figures.
const PROVED: &str = "proved: ";

pub struct Promise {
    pub text: &'static str,
    /// Names of the tests, as cargo's test harness prints them.
    pub tests: &'static [&'static str],
}

pub const PROMISES: &[Promise] = &[
    Promise {
        text: "Every note-on has its note-off, whatever is played, set, stopped, sought, looped, reset or refused",
        tests: &[
            "every_note_on_has_its_note_off",
            "a_host_that_refuses_events_gets_every_note_off_in_the_end",
            "releases::no_change_of_a_parameter_leaves_a_note_hanging",
            "extremes::no_score_and_no_transport_leave_a_note_hanging",
            "fuzzed::no_events_no_transport_and_no_settings_leave_a_note_hanging",
        ],
    },
    Promise {
        text: "In a session with a player, a host and a worker at odds, it keeps to all that was asked for",
        tests: &["session::in_a_session_the_plugin_keeps_to_all_that_was_asked_for"],
    },
    Promise {
        text: "A key has one owner: what the player holds is never ended, and what the player has released sounds no more",
        tests: &[
            "owners::a_key_has_one_owner_and_what_the_player_has_released_sounds_no_more",
            "owners::a_strike_that_passes_unheard_takes_the_key_over_until_its_own_release",
            "owners::after_a_new_activation_nothing_sounds",
            "music::note_tracker::tests::held_keys_and_pedals_are_those_of_any_receiver",
        ],
    },
    Promise {
        text: "What was decided stays: a trade leaves the player's bars alone, and an aligned hand-over stands on its line",
        tests: &[
            "lines::a_trade_leaves_the_players_bars_alone_for_any_partition_ramp_and_jitter",
            "lines::with_an_alignment_every_hand_over_stands_on_a_line_whatever_arrives_when",
            "lines::an_answer_goes_on_through_a_loop_of_the_host",
            "lines::a_beat_that_is_not_a_number_changes_nothing",
        ],
    },
    Promise {
        text: "What the worker has made and what has sounded agree, however slow it is and however often it is asked anew",
        tests: &[
            "plans::every_note_that_was_made_and_not_taken_back_has_sounded",
            "plans::a_re_roll_leaves_no_hole_and_no_ghost_where_the_worker_is_hardly_ahead",
            "plans::after_a_stall_of_the_worker_the_answer_goes_on_from_there_and_nothing_comes_in_a_clump",
            "plans::no_note_of_an_answer_is_planned_shorter_than_30_ms",
        ],
    },
    Promise {
        text: "A new activation between two calls changes no answer, and the plugin's own notes that come back make no avalanche",
        tests: &[
            "activation::a_new_activation_between_two_calls_changes_no_answer",
            "duo::the_plugins_own_notes_that_come_in_again_make_no_avalanche_and_are_told_of",
        ],
    },
    Promise {
        text: "A window may be opened and closed while a host automates, what the host sets is taken at once, and after a bounce it plays live again",
        tests: &[
            "extremes::a_clap_window_may_be_made_and_closed_at_any_moment_while_the_host_automates",
            "plugin::vst3::tests::a_window_may_be_closed_at_any_moment_while_the_host_automates",
            "plugin::vst3::tests::after_a_bounce_the_worker_plays_again_as_soon_as_the_host_says_so",
            "plugin::vst3::tests::what_is_automated_is_set_and_reads_back_what_it_is",
            "plugin::vst3::tests::a_value_that_is_set_while_the_plugin_processes_is_taken",
            "plugin::vst3::tests::a_host_that_sets_a_value_between_two_steps_is_told_the_step",
            "plugin::vst3::tests::the_framework_is_told_of_midi_controllers_alone",
        ],
    },
    Promise {
        text: "Block size is invisible",
        tests: &[
            "every_partition_into_blocks_sounds_the_same",
            "time::the_answer_is_the_same_for_every_partition_into_blocks",
            "time::the_answer_is_the_same_in_blocks_of_one_sample",
            "extremes::it_answers_in_blocks_of_65536_samples_at_the_lowest_and_the_highest_rate",
        ],
    },
    Promise {
        text: "The instrument slot is heard: each note on the sample on which it goes out, the same for every partition into blocks",
        tests: &[
            "sound::the_call_and_its_answer_are_heard_where_they_go_out_and_silence_is_silent",
            "sound::without_thru_the_answer_alone_is_heard_and_begins_on_its_own_sample",
            "sound::the_sound_is_the_same_for_every_partition_into_blocks",
        ],
    },
    Promise {
        text: "Nothing below `process` allocates or waits, in storms of settings and events and with states loaded meanwhile",
        tests: &[
            "extremes::a_storm_of_settings_live_leaves_no_note_hanging",
            "extremes::more_events_than_the_lanes_hold_live_leave_no_note_hanging",
            "extremes::resets_and_restarts_in_a_storm_leave_no_note_hanging",
            "extremes::states_may_be_loaded_and_saved_while_the_audio_thread_plays",
            "sound::a_storm_of_notes_is_played_live_without_an_allocation",
            "plugin::tests::while_all_that_can_be_locked_is_locked_the_audio_thread_plays_on",
            "realtime::a_full_lane_is_counted_and_nobody_waits",
            "realtime::a_dead_worker_is_nothing_to_wait_for_and_the_next_performer_answers",
            "hearing_foreseeing_drawing_and_forgetting_allocate_nothing",
            "tidy::tests::the_house_is_tidy",
        ],
    },
    Promise {
        text: "A worker that stalls, panics or dies costs an answer at most; it is counted, and the next call is answered",
        tests: &[
            "faults::a_panic_within_an_answer_ends_it_and_the_next_call_is_answered",
            "faults::a_worker_that_always_fails_leaves_silence_and_nothing_hanging",
            "faults::a_worker_that_stands_still_for_10_ms_to_10_s_delays_silences_and_then_answers",
            "faults::faults_are_counted",
            "extremes::no_worker_is_so_late_that_a_note_hangs",
        ],
    },
    Promise {
        text: "A reply of an old turn cannot sound",
        tests: &[
            "interleaved::in_whatever_order_performer_and_worker_take_their_steps_no_old_turn_sounds_and_the_last_call_is_answered",
            "a_strike_releases_the_answer_on_its_own_sample_and_nothing_pending_sounds",
            "session::in_a_session_the_plugin_keeps_to_all_that_was_asked_for",
            "releases::a_players_note_takes_the_floor_back_at_its_own_sample",
        ],
    },
    Promise {
        text: "Any host: 8 to 384 kHz, blocks of 1 to 65,536, a thousand activations, 64 instances, a clock that jumps",
        tests: &[
            "extremes::it_answers_at_every_sample_rate_from_8_to_384_khz",
            "extremes::a_thousand_activations_later_it_answers_as_at_first",
            "extremes::sixty_four_instances_live_side_by_side_and_each_answers_as_if_alone",
            "extremes::a_clock_that_jumps_every_block_leaves_no_note_hanging",
        ],
    },
    Promise {
        text: "A project of every released version loads, value by value",
        tests: &[
            "state::a_state_of_every_version_loads_with_the_values_it_was_saved_with",
            "state::the_present_version_has_its_golden_states",
            "state::no_parameter_of_an_earlier_version_is_gone_and_the_effects_id_stays",
        ],
    },
    Promise {
        text: "A state that is broken, foreign, huge or hostile changes nothing, and the instance goes on",
        tests: &[
            "state::no_value_in_a_state_stops_the_plugin",
            "state::no_bytes_in_place_of_a_state_stop_the_plugin",
            "state::a_state_without_an_end_or_of_another_plugin_changes_nothing",
            "plugin::tests::numbers_of_a_state_come_into_range_and_what_is_none_goes",
        ],
    },
    Promise {
        text: "A model file that is cut, damaged, foreign, endless or gone is told of, and the old model plays on",
        tests: &[
            "model::weights::tests::no_bytes_make_the_loader_panic",
            "model::weights::tests::no_damage_makes_the_loader_panic",
            "model::weights::tests::a_file_that_was_cut_anywhere_is_refused",
            "model::weights::tests::a_tensor_of_another_shape_is_refused_by_its_name",
            "state::a_broken_model_file_leaves_the_old_model_playing",
            "state::a_model_file_of_any_name_leaves_the_embedded_model_playing",
        ],
    },
    Promise {
        text: "What is learnt from a player is offered and kept only where that is asked for; with You at 0 % nothing of it plays",
        tests: &[
            "learner::tests::from_takes_comes_a_personal_model_which_is_written_beside_them_when_it_is_asked_for",
            "learner::tests::whoever_stops_it_at_once_has_no_model",
            "model::personal::tests::so_much_of_the_difference_is_added",
            "params::tests::with_you_at_nothing_the_answer_is_not_shaped_by_what_was_heard_of_the_player",
            "generation::an_answer_that_does_not_adapt_goes_beyond_the_register_and_the_dynamics_of_its_call",
        ],
    },
    Promise {
        text: "No bytes in a MIDI file stop its reader",
        tests: &["corpus::tests::no_bytes_make_the_reader_panic"],
    },
    Promise {
        text: "Memory stays flat and the grid does not drift, mode after mode; the last run in real time stands below",
        tests: &[
            "verify::soak::tests::all_modes_one_after_the_other_leave_nothing_hanging_and_keep_to_the_grid",
        ],
    },
    Promise {
        text: "Chance is seeded: a project gives the same notes at every bounce, in both formats",
        tests: &[
            "answers::every_render_of_one_instance_repeats_the_first",
            "time::every_mode_is_the_same_in_every_render_every_partition_and_both_formats",
        ],
    },
];

/// The outcomes of the tests.
#[derive(Debug, Default)]
pub struct Outcomes {
    passed: BTreeMap<String, bool>,
    figures: BTreeMap<String, Vec<String>>,
}

impl Outcomes {
    /// Runs tests, with an environment variable where more cases than usual are asked for. Takes minutes, or
    /// hours.
    pub fn of<'a>(tests: impl IntoIterator<Item = &'a str>, more: Option<(&str, &str)>) -> Result<Self> {
        let mut command = cargo();
        command.args(["test", "--workspace", "--no-fail-fast", "--", "--exact", "--show-output"]);
        command.args(tests).envs(more);
        let told = command.stderr(Stdio::inherit()).output().context("there is no cargo")?;
        let outcomes = Self::read(&String::from_utf8_lossy(&told.stdout));
        if outcomes.passed.is_empty() {
            bail!("the tests do not build: run cargo test --workspace");
        }
        Ok(outcomes)
    }

    fn read(told: &str) -> Self {
        let mut outcomes = Self::default();
        let mut telling = String::new();
        for line in told.lines() {
            if let Some((name, outcome)) =
                line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
            {
                outcomes.passed.insert(name.to_owned(), outcome == "ok");
            } else if let Some(name) =
                line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"))
            {
                telling = name.to_owned();
            } else if let Some(figure) = line.strip_prefix(PROVED) {
                outcomes.figures.entry(telling.clone()).or_default().push(figure.to_owned());
            }
        }
        outcomes
    }

    /// The figures of a promise, for its line of the table.
    pub fn figures(&self, promise: &Promise) -> String {
        let passed = promise.tests.iter().filter(|test| self.has_passed(test)).count();
        let all = promise.tests.len();
        let figures = promise.tests.iter().filter_map(|test| self.figures.get(*test)).flatten();
        let verdict = if passed == all {
            format!("{all} of {all} hold")
        } else {
            format!("**{passed} of {all} hold**")
        };
        [verdict].into_iter().chain(figures.cloned()).collect::<Vec<_>>().join("; ")
    }

    /// The tests of promises that failed, or were not found.
    pub fn broken(&self) -> impl Iterator<Item = &'static str> {
        tests().filter(|test| !self.has_passed(test))
    }

    /// The figures of one test; `None` if it failed.
    pub fn figures_of(&self, test: &str) -> Option<String> {
        self.figures.get(test).filter(|_| self.has_passed(test)).map(|figures| figures.join("; "))
    }

    fn has_passed(&self, test: &str) -> bool {
        self.passed.get(test) == Some(&true)
    }
}

/// The tests of all promises.
pub fn tests() -> impl Iterator<Item = &'static str> {
    PROMISES.iter().flat_map(|promise| promise.tests).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_belong_to_the_test_that_tells_them_and_a_test_that_is_not_there_is_broken() {
        let told =
            "test a::one ... ok\ntest a::two ... FAILED\n---- a::one stdout ----\nnoise\nproved: 12 cases\n";
        let outcomes = Outcomes::read(told);
        let promise = Promise { text: "", tests: &["a::one", "a::two", "a::three"] };
        assert_eq!(outcomes.figures(&promise), "**1 of 3 hold**; 12 cases");
        assert_eq!(outcomes.figures(&Promise { text: "", tests: &["a::one"] }), "1 of 1 hold; 12 cases");
        assert_eq!(outcomes.broken().count(), super::tests().count());
        assert_eq!(outcomes.figures_of("a::one").as_deref(), Some("12 cases"));
    }
}
