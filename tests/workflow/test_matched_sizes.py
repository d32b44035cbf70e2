"""Plans of studies whose training splits are matched in size, or drawn from one another."""

import studies


def planned(tmp_path, **changes):
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    return studies.jobs(studies.plan(tmp_path, config))


def test_matched_splits_train_more_models_and_nothing_else_is_lost(tmp_path):
    (tmp_path / "plain").mkdir()
    plain = planned(tmp_path / "plain")
    matched = planned(tmp_path, **{"splits.match_sizes": True})
    # `female` is the smallest: only `regular` is matched to it.
    assert plain["train_model"] == 2 * 2
    assert matched["train_model"] == 2 * 3
    assert matched["split"] == plain["split"] + 1
    assert set(matched) == set(plain)


def test_a_train_split_depends_on_those_it_is_drawn_from_and_on_no_other(tmp_path):
    changes = {
        "data.drawn.subjects": 16,
        "splits.train.male": {"where": {"gender": "male"}},
        "splits.train.mixed": {"drawn_from": ["female", "male"], "match_size_to": "female"},
    }
    small = studies.changed(studies.SMALL, changes)
    config = studies.write(small, tmp_path)
    targets = [f"results/small/data/splits/{name}/seed-1.csv" for name in small["splits"]["train"]]
    done = studies.snakemake(tmp_path, config, "--", *targets)
    assert done.returncode == 0, done.stdout
    edited = studies.changed(small, {"splits.train.male.n_subjects": 4})
    again = studies.jobs(studies.plan(tmp_path, studies.write(edited, tmp_path), "--", *targets))
    assert again == {"split": 2}, again


def test_classes_have_no_jobs_of_units(tmp_path):
    found = planned(tmp_path)
    assert not {"decide", "figure_occurrences"} & set(found)
