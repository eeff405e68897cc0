//! The rows of bkt's table in `docs/seeds.md`.

use crate::support::ran;
use crate::world::{each_way, entries, expiry, nth, wait_for_runs, world};

#[test]
fn ttl() {
    for world in each_way() {
        world.assert_runs(&[("ttl = '1h'", 1), ("ttl = '1h'", 1)]);
        assert!(expiry(&world.env).is_some());
    }
}

#[test]
fn max_age_at_read() {
    for world in each_way() {
        world.assert_runs(&[("", 1), ("max_age = '1h'", 1), ("max_age = '0s'", 2), ("max_age = '1h'", 2)]);
        assert_eq!(expiry(&world.env), None);
    }
}

#[test]
fn stale() {
    for world in each_way() {
        world.assert_runs(&[("", 1), ("stale = '1h'", 1), ("stale = '0s'", 1)]);
        wait_for_runs(&world.env, 4);
        world.assert_runs(&[("stale = '1h'", 2)]);
    }
}

#[test]
fn warm() {
    for world in each_way() {
        assert_eq!(world.run("warm = true", "-- ./work"), ran(0, ""));
        wait_for_runs(&world.env, 1);
        assert_eq!(world.run("cached_only = true", "-- ./work"), nth(1));
        assert_eq!(world.run("warm = true", "-- ./work"), ran(0, ""));
        wait_for_runs(&world.env, 3);
        assert_eq!(world.run("cached_only = true", "-- ./work"), nth(2));
    }
}

#[test]
fn force() {
    let env = world();
    assert_eq!(env.run("run -- ./work"), nth(1));
    assert_eq!(env.run("run --force -- ./work"), nth(2));
    assert_eq!(env.run("run -- ./work"), nth(2));
    assert_eq!(entries(&env).len(), 1);
    assert_eq!(env.run("run --force --no-force -- ./work"), nth(2));
}

#[test]
fn scope() {
    for world in each_way() {
        world.assert_runs(&[("salt = 'a'", 1), ("salt = 'b'", 2), ("", 3), ("salt = 'a'", 1)]);
    }
}

#[test]
fn cwd() {
    for world in each_way() {
        world.env.script("work", "#!/bin/sh\necho ran >> ../count\nbasename $(pwd)\n");
        let run = |mode: &str, folder: &str| {
            let line = world.line(&format!("cwd = '{mode}'"), "-- ../work");
            world.env.run_in(folder, &line)
        };
        assert_eq!([run("absolute", "a"), run("absolute", "b")], [ran(0, "a\n"), ran(0, "b\n")]);
        let policy = "policy = 'INPUTS'\ncwd = 'ignore'";
        for folder in ["a", "b"] {
            assert_eq!(world.env.run_in(folder, &world.line(policy, "-- ../work")), ran(0, "a\n"));
        }
    }
}

#[test]
fn env() {
    for mut world in each_way() {
        for (language, other, number) in [("de", "1", 1), ("de", "2", 1), ("en", "2", 2)] {
            world.env.set("MY_LANGUAGE", language);
            world.env.set("OTHER", other);
            world.assert_runs(&[("envs = ['MY_LANGUAGE']", number)]);
        }
    }
}

#[test]
fn modtime() {
    for world in each_way() {
        for (text, number) in [("a", 1), ("a", 1), ("b", 2), ("a", 1)] {
            world.env.write("data", text);
            world.assert_runs(&[("inputs = ['data']", number)]);
        }
    }
}

#[test]
fn discard_failures() {
    for world in each_way() {
        world.env.script("work", "#!/bin/sh\necho ran >> count\nexit 3\n");
        for (declaration, runs) in [("", 1), ("", 2), ("cache_exit = 'any'", 3), ("cache_exit = 'any'", 3)] {
            assert_eq!(world.run(declaration, "-- ./work"), ran(3, ""));
            assert_eq!(world.env.count(), runs, "{declaration}");
        }
    }
}
